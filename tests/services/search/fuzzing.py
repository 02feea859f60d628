"""Queries that nobody would type, and many that somebody might: all are answered.

``python -m tests.services.search.fuzzing`` (`make fuzz-search`) asks a million of them,
in as many processes as there are cores, and fails when one raises an error or takes more
than a tenth of a second of work. One that seems to is asked twice more and judged by its
quickest time: what a process tidies up meanwhile is no work of that query.
"""

# ruff: noqa: T201 - a program as well, which prints what it found

import argparse
import os
import random
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

from bench.search_messages import Conversations
from clp_contracts.errors import Refused
from clp_search.dependencies import Parts
from clp_search.query import LONGEST_QUERY
from tests.cases.loading import hostile_cases, search_cases
from tests.services.search.query_helpers import find_as, parts_with, story
from tests.services.search.scenario import (
    BROADCAST,
    WITH_NORTH,
    WITH_SOUTH,
    fresh_engine,
)

COUNT = 1_000_000
LONGEST_WORK_S = 0.1
MESSAGES = 2_000
TURN = 5_000

SYNTAX = (
    *"-*\"“”„«»「」『』:#@(){}[]^~?!&|\\/+.,;'’<>=%_$` \t\n\x00\x01\x04\u200b\u202e\u3000",
    "from:", "sender:", "has:attachment", "has:", "-has:file", "before:", "after:2024-02",
    "on:20", "on:2024-02-30", "file:", "filename:", "AND ", "OR", "NOT ", "TO", "~2", "^9",
    "字幕", "日本語", "👍🏽", "👨‍👩‍👧", "🇯🇵", "İ", "ß", "ﷺ", "\u0e33", "\u0301", "\U000e0100", "ก็", "한",
    "common", "the", "PKG-12345", "S02E05", "a*", "ab*", "'; drop table documents; --",
)  # fmt: skip
REFUSALS = frozenset({"query.empty", "query.too_long", "text.malformed"})
READABLE = frozenset({BROADCAST, WITH_NORTH})


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it went: what failed, the slowest, and how many were refused."""

    failures: tuple[str, ...]
    worst_s: float
    worst_query: str
    refused: int


def fuzzed(chance: random.Random) -> Iterator[str]:
    """Queries without end."""
    known = [case["query"] for case in search_cases()]
    known += [case.value for case in hostile_cases("search")]
    while True:
        match chance.randrange(5):
            case 0:
                yield _mutated(chance.choice(known), chance)
            case 1:
                yield "".join(_character(chance) for _ in range(chance.randrange(40)))
            case 2:
                yield chance.choice(SYNTAX) * chance.randrange(LONGEST_QUERY + 2)
            case _:
                pieces = chance.choices((*SYNTAX, *known[:40]), k=chance.randrange(24))
                yield chance.choice(("", " ")).join(pieces)


def ask_all(parts: Parts, queries: Iterator[str], count: int) -> Outcome:
    """Ask so many queries as one of north's people."""
    failures: list[str] = []
    worst_s, worst_query, refused = 0.0, "", 0
    for query, _ in zip(queries, range(count), strict=False):
        work, outcome = _asked(parts, query)
        if work > LONGEST_WORK_S:
            work = min(work, *(_asked(parts, query)[0] for _ in range(2)))
        refused += outcome in REFUSALS
        if outcome and outcome not in REFUSALS:
            failures.append(f"{query!r}: {outcome}")
        if work > worst_s:
            worst_s, worst_query = work, query
    return Outcome(tuple(failures), worst_s, worst_query, refused)


def _asked(parts: Parts, query: str) -> tuple[float, str]:
    """The work of one query, and what was wrong with it: a code, an error, nothing."""
    begun, outcome = time.process_time(), ""
    try:
        found = find_as(parts, "nat", query)
    except Refused as refusal:
        outcome = refusal.code
    except Exception as error:  # noqa: BLE001 - each of them is what is looked for
        outcome = repr(error)
    else:
        if not {hit.channel for hit in found.hits} <= READABLE:
            outcome = "a hit from next door"
    return time.process_time() - begun, outcome


def main() -> int:
    """Ask them all; say what failed."""
    reads = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    reads.add_argument("--count", type=int, default=COUNT)
    reads.add_argument("--seed", type=int, default=random.randrange(10**6))
    asked = reads.parse_args()
    print(f"{asked.count:,} queries, --seed {asked.seed}")
    turns = [
        (asked.seed, n, min(TURN, asked.count - n * TURN))
        for n in range(-(-asked.count // TURN))
    ]
    failed, worst, refused = 0, Outcome((), 0.0, "", 0), 0
    begun = time.monotonic()
    with ProcessPoolExecutor(os.cpu_count(), initializer=_open_parts) as pool:
        for done, outcome in enumerate(pool.map(_one_turn, turns), 1):
            for failure in outcome.failures:
                print(failure)
            failed, refused = failed + len(outcome.failures), refused + outcome.refused
            worst = max(worst, outcome, key=lambda each: each.worst_s)
            took = time.monotonic() - begun
            slowest = (
                f"the slowest {worst.worst_s * 1000:.0f} ms: {worst.worst_query!r}"
            )
            told = f"{min(done * TURN, asked.count):,} asked in {took:.0f} s, {failed} failed, {slowest}"
            print(told, file=sys.stderr)
    print(f"{failed} failed, {refused:,} refused as empty, too long or no text")
    print(f"the slowest took {worst.worst_s * 1000:.1f} ms: {worst.worst_query!r}")
    return int(failed > 0 or worst.worst_s > LONGEST_WORK_S)


def _one_turn(turn: tuple[int, int, int]) -> Outcome:
    seed, number, count = turn
    queries = fuzzed(random.Random(f"{seed} {number}"))
    return ask_all(_OPENED[0], queries, count)


_OPENED: list[Parts] = []
_STACK = ExitStack()


def _open_parts() -> None:
    """One index for each process of the pool, as long as it lives."""
    _OPENED[:] = [_STACK.enter_context(filled_parts())]


@contextmanager
def filled_parts() -> Iterator[Parts]:
    """An index of many messages in three channels, written to disk, and who may read."""
    with fresh_engine() as engine:
        documents = _documents()
        engine.apply(documents, after=0, upto=len(documents))
        engine.checkpoint()
        yield parts_with(engine, story())


def _documents() -> Sequence:  # type: ignore[type-arg]
    places = (BROADCAST, WITH_NORTH, WITH_SOUTH)
    return [
        replace(document, project="p1", channel=places[document.number % 3])
        for document in Conversations(MESSAGES).documents()
    ]


def _mutated(query: str, chance: random.Random) -> str:
    typed = list(query[: LONGEST_QUERY + 1])
    for _ in range(chance.randrange(1, 4)):
        at = chance.randrange(len(typed) + 1)
        match chance.randrange(3):
            case 0:
                typed.insert(at, chance.choice(SYNTAX))
            case 1:
                del typed[at : at + chance.randrange(4)]
            case _:
                typed[at:at] = typed[: chance.randrange(8)]
    return "".join(typed)


def _character(chance: random.Random) -> str:
    """Any at all, lone surrogates included, most of them of the first plane."""
    return chr(chance.randrange(0x110000 if chance.random() < 0.2 else 0x10000))


if __name__ == "__main__":
    raise SystemExit(main())
