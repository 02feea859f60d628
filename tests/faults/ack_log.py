"""Logs of what clients and relay saw, kept outside the system under test."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Acked:
    """An acknowledged post: it must never be lost."""

    word: str
    channel: str
    author: str
    id: str
    number: int
    at: float
    seconds: float


@dataclass(frozen=True, slots=True)
class SentMail:
    """A mail that the relay accepted."""

    id: str
    to: str
    words: tuple[str, ...]
    begun: float
    at: float
    cut: bool
    # How many messages it tells of without showing them.
    more: int = 0


@dataclass
class AckLog:
    """The acknowledgements of a run's clients."""

    path: Path
    acked: dict[str, Acked] = field(default_factory=dict)
    # Abandoned after a failed call: stored or not, but never twice.
    uncertain: set[str] = field(default_factory=set)
    failures: Counter[str] = field(default_factory=Counter)
    longest_failure_s: float = 0.0
    # person -> spans of time without access: from the answer to the next call that
    # gives it back.
    without_access: dict[str, list[tuple[float, float]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    # What the control has acknowledged, and when.
    naive: dict[str, float] = field(default_factory=dict)

    def read_back(self) -> int:
        """Load what a killed process has written; return the number of entries."""
        if self.path.exists():
            # A line that was cut in the middle was never an acknowledgement.
            whole = self.path.read_text().rpartition("\n")[0].splitlines()
            for line in map(json.loads, whole):
                if "doubtful" in line:
                    self.uncertain.add(line["doubtful"])
                else:
                    self.acked[line["word"]] = Acked(**line)
        return len(self.acked) + len(self.uncertain)

    def ack(self, acked: Acked) -> None:
        """Record an acknowledgement before anything else happens."""
        self.acked[acked.word] = acked
        self._write(asdict(acked))

    def mark_uncertain(self, word: str) -> None:
        """Record that the outcome of a post is unknown."""
        self.uncertain.add(word)
        self._write({"doubtful": word})

    def fail(self, error: str, seconds: float) -> None:
        """Count a call that failed."""
        self.failures[error] += 1
        self.longest_failure_s = max(self.longest_failure_s, seconds)

    def _write(self, line: dict[str, Any]) -> None:
        with self.path.open("a") as log:
            log.write(json.dumps(line) + "\n")


def sent_mails(log: Path) -> Iterator[SentMail]:
    """Yield the mails in the relay's log."""
    if not log.exists():
        return
    for line in log.read_text().splitlines():
        one = json.loads(line)
        yield SentMail(
            id=one["id"],
            to=one["to"].partition("@")[0],
            words=tuple(one["words"]),
            more=one.get("more", 0),
            begun=one["begun"],
            at=one["at"],
            cut=one["cut"],
        )
