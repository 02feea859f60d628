"""Odd and ordinary queries: none may fail, and none may take too long.

``python -m tests.services.search.fuzzing`` (`make fuzz-search`) runs a million of them,
in as many processes as there are cores, and fails when one raises an error or takes
more than a tenth of a second of work. A slow one is repeated twice and judged by its
quickest time: garbage collection is no work of that query.
"""

# ruff: noqa: T201 - a program as well, which prints what it found

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
from clp_search.dependencies import Dependencies
from clp_search.query import MAX_QUERY_LENGTH
from tests.cases.loading import hostile_cases, search_cases
from tests.services.search.query_helpers import (
    dependencies_with,
    find_as,
    sample_neighbours,
)
from tests.services.search.scenario import (
    BROADCAST,
    WITH_NORTH,
    WITH_SOUTH,
    apply_to,
    fresh_engine,
)
from tests.support.command_line import command_parser

COUNT = 1_000_000
MAX_WORK_S = 0.1
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
    """The outcome: failures, the slowest query, and how many were refused."""

    failures: tuple[str, ...]
    worst_s: float
    worst_query: str
    refused: int


def fuzzed(chance: random.Random) -> Iterator[str]:
    """Iterate queries without end."""
    known = [case["query"] for case in search_cases()]
    known += [case.value for case in hostile_cases("search")]
    while True:
        match chance.randrange(5):
            case 0:
                yield _mutated(chance.choice(known), chance)
            case 1:
                yield "".join(_character(chance) for _ in range(chance.randrange(40)))
            case 2:
                yield chance.choice(SYNTAX) * chance.randrange(MAX_QUERY_LENGTH + 2)
            case _:
                pieces = chance.choices((*SYNTAX, *known[:40]), k=chance.randrange(24))
                yield chance.choice(("", " ")).join(pieces)


def run_all(deps: Dependencies, queries: Iterator[str], count: int) -> Outcome:
    """Run so many queries as one of north's people."""
    failures: list[str] = []
    worst_s, worst_query, refused = 0.0, "", 0
    for query, _ in zip(queries, range(count), strict=False):
        work, outcome = _run_query(deps, query)
        if work > MAX_WORK_S:
            work = min(work, *(_run_query(deps, query)[0] for _ in range(2)))
        refused += outcome in REFUSALS
        if outcome and outcome not in REFUSALS:
            failures.append(f"{query!r}: {outcome}")
        if work > worst_s:
            worst_s, worst_query = work, query
    return Outcome(tuple(failures), worst_s, worst_query, refused)


def _run_query(deps: Dependencies, query: str) -> tuple[float, str]:
    """Return the work of one query, and its error code, exception or nothing."""
    started, outcome = time.process_time(), ""
    try:
        search_ids = find_as(deps, "nat", query)
    except Refused as refusal:
        outcome = refusal.code
    except Exception as error:  # noqa: BLE001 - each of them is what is looked for
        outcome = repr(error)
    else:
        if not {hit.channel for hit in search_ids.hits} <= READABLE:
            outcome = "a hit from a hidden channel"
    return time.process_time() - started, outcome


def main() -> int:
    """Run all queries and report failures."""
    parser = command_parser()
    parser.add_argument("--count", type=int, default=COUNT)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    options = parser.parse_args()
    print(f"{options.count:,} queries, --seed {options.seed}")
    turns = [
        (options.seed, n, min(TURN, options.count - n * TURN))
        for n in range(-(-options.count // TURN))
    ]
    failed, worst, refused = 0, Outcome((), 0.0, "", 0), 0
    started = time.monotonic()
    with ProcessPoolExecutor(os.cpu_count(), initializer=_open_parts) as pool:
        for done, outcome in enumerate(pool.map(_one_turn, turns), 1):
            for failure in outcome.failures:
                print(failure)
            failed, refused = failed + len(outcome.failures), refused + outcome.refused
            worst = max(worst, outcome, key=lambda each: each.worst_s)
            took = time.monotonic() - started
            slowest = (
                f"the slowest {worst.worst_s * 1000:.0f} ms: {worst.worst_query!r}"
            )
            progress = f"{min(done * TURN, options.count):,} run in {took:.0f} s, {failed} failed, {slowest}"
            print(progress, file=sys.stderr)
    print(f"{failed} failed, {refused:,} refused as empty, too long or no text")
    print(f"the slowest took {worst.worst_s * 1000:.1f} ms: {worst.worst_query!r}")
    return int(failed > 0 or worst.worst_s > MAX_WORK_S)


def _one_turn(turn: tuple[int, int, int]) -> Outcome:
    seed, number, count = turn
    queries = fuzzed(random.Random(f"{seed} {number}"))
    return run_all(_OPENED[0], queries, count)


_OPENED: list[Dependencies] = []
_STACK = ExitStack()


def _open_parts() -> None:
    """Open one index for each process of the pool, as long as it lives."""
    _OPENED[:] = [_STACK.enter_context(filled_dependencies())]


@contextmanager
def filled_dependencies() -> Iterator[Dependencies]:
    """Return an index of many messages in three channels, on disk, with its neighbours."""
    with fresh_engine() as engine:
        documents = _documents()
        apply_to(engine, documents)
        engine.checkpoint()
        yield dependencies_with(engine, sample_neighbours())


def _documents() -> Sequence:  # type: ignore[type-arg]
    places = (BROADCAST, WITH_NORTH, WITH_SOUTH)
    return [
        replace(document, project="p1", channel=places[document.number % 3])
        for document in Conversations(MESSAGES).documents()
    ]


def _mutated(query: str, chance: random.Random) -> str:
    typed = list(query[: MAX_QUERY_LENGTH + 1])
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
    """Return any character, lone surrogates included, most of them of the first plane."""
    return chr(chance.randrange(0x110000 if chance.random() < 0.2 else 0x10000))


if __name__ == "__main__":
    raise SystemExit(main())
