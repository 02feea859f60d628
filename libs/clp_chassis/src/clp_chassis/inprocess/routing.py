"""Exchanges: which queues a routing key routes to."""

from __future__ import annotations

import re
from typing import Final

from amqp.exceptions import AMQPNotImplementedError

KINDS: Final = frozenset({"direct", "topic", "fanout"})


class Exchange:
    """A routing table."""

    def __init__(self, name: str, kind: str) -> None:
        if kind not in KINDS:
            raise AMQPNotImplementedError(f"in-process exchanges cannot be {kind}")
        self.name = name
        self.kind = kind
        self._exact: dict[str, set[str]] = {}
        self._patterns: dict[str, tuple[re.Pattern[str], set[str]]] = {}

    def bind(self, routing_key: str, queue: str) -> None:
        if self._is_pattern(routing_key):
            fresh = (_pattern(routing_key), set[str]())
            self._patterns.setdefault(routing_key, fresh)[1].add(queue)
        else:
            self._exact.setdefault(routing_key, set()).add(queue)

    def unbind(self, routing_key: str, queue: str) -> None:
        if routing_key in self._patterns:
            self._patterns[routing_key][1].discard(queue)
            if not self._patterns[routing_key][1]:
                del self._patterns[routing_key]
        if routing_key in self._exact:
            self._exact[routing_key].discard(queue)
            if not self._exact[routing_key]:
                del self._exact[routing_key]

    def queues_for(self, routing_key: str) -> set[str]:
        if self.kind == "fanout":
            return set().union(*self._exact.values())
        found = set(self._exact.get(routing_key, ()))
        for pattern, queues in self._patterns.values():
            if pattern.fullmatch("." + routing_key):
                found |= queues
        return found

    def _is_pattern(self, routing_key: str) -> bool:
        return self.kind == "topic" and ("*" in routing_key or "#" in routing_key)


def _pattern(routing_key: str) -> re.Pattern[str]:
    """`*` is one word, `#` any number of words, none included."""
    wild = {"*": r"\.[^.]+", "#": r"(\.[^.]*)*"}
    words = routing_key.split(".")
    return re.compile("".join(wild.get(w, r"\." + re.escape(w)) for w in words))
