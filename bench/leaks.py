"""Compare response times for hidden and absent words: ``python -m bench.leaks``.

Words, prefixes and authors of a hidden channel against ones that occur nowhere, searched in
pairs in alternating order by somebody who may read neither, through the use case `find`
(`make bench-leaks`). The medians of the two must not differ by more than a twentieth
(rule 36). For the folder index compare process time; PostgreSQL works elsewhere, so
compare wall time.
"""

import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.engines.settling import settle
from bench.search_messages import Conversations
from clp_chassis.persistence.database import migrate
from clp_search.dependencies import Dependencies
from clp_search.engine import Document, Engine
from clp_search.index.sharded_index import BULK, ShardedIndex
from clp_search.postgres.engine import open_index
from clp_suite.servers import PrivatePostgres, server_directory
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
)
from tests.support.command_line import command_parser

PAIRS = 2_000
WARM_UP = 100
MESSAGES = 8_000
PLANTED = 400
CLOSE = 0.05
FORMS = (
    "{word}", "mix {word}", '"{word} mix"', "{word}*", "-{word} mix", "file:{word}",
    "{prefix}*", "mix {prefix}*", "{prefix}* {prefix}o*", "from:{word}",
    "from:{prefix}*", "mix -from:{prefix}*",
)  # fmt: skip
LETTERS = "bcdfghjklmnpqrstvwxyz"
# Second letters of hidden and of absent words: no prefix of two letters is shared.
HIDDEN, ABSENT = LETTERS[::2], LETTERS[1::2]

Clock = Callable[[], float]


def main() -> int:
    """Measure both engines; return 1 when one exceeds the bound."""
    parser = command_parser()
    parser.add_argument("--pairs", type=int, default=PAIRS)
    parser.add_argument("--engine", choices=("folder", "PostgreSQL"))
    options = parser.parse_args()
    pairs = options.pairs
    print("| engine | query | hidden, ms | absent, ms | difference |")
    print("| --- | --- | ---: | ---: | ---: |")
    leaks = 0
    for name, opened, clock in (
        ("folder", _in_a_folder, time.process_time),
        ("PostgreSQL", _in_postgres, time.perf_counter),
    ):
        if options.engine not in {None, name}:
            continue
        with opened() as engine:
            secret = _filled(engine)
            deps = dependencies_with(engine, sample_neighbours())
            for form in FORMS:
                medians = _medians(deps, secret, form, pairs, clock)
                difference = medians[0] / medians[1] - 1
                leaks += abs(difference) > CLOSE
                columns = [f"{median * 1000:.3f}" for median in medians]
                print(
                    f"| {name} | `{form}` | {' | '.join(columns)} | {difference:+.1%} |"
                )
                sys.stdout.flush()
    return int(leaks > 0)


@contextmanager
def _in_a_folder() -> Iterator[Engine]:
    with TemporaryDirectory() as folder:
        engine = ShardedIndex(Path(folder), BULK)
        yield engine
        engine.close()


@contextmanager
def _in_postgres() -> Iterator[Engine]:
    with (
        server_directory() as directory,
        PrivatePostgres(directory / "pg", durable=False) as server,
    ):
        url = server.create_database("search")
        migrate(url, "clp_search")
        engine = open_index(url)
        yield engine
        engine.close()


def _filled(engine: Engine) -> list[str]:
    """Fill all channels, and place secret words in south's channel only."""
    chance = random.Random(36)
    secret = [_word(chance, HIDDEN) for _ in range(PLANTED)]
    documents = [_moved(d, chance, secret) for d in Conversations(MESSAGES).documents()]
    for first in range(0, len(documents), 1_000):
        apply_to(engine, documents[first : first + 1_000])
    settle(engine)
    return secret


def _moved(document: Document, chance: random.Random, secret: list[str]) -> Document:
    channel = chance.choice((BROADCAST, WITH_NORTH, WITH_SOUTH, "p1/direct/west"))
    moved = replace(document, project="p1", channel=channel)
    if channel != WITH_SOUTH:
        return moved
    text, name = f"{document.text} {chance.choice(secret)} mix", chance.choice(secret)
    return replace(moved, text=text, author=name, author_name=name.title())


def _word(chance: random.Random, second: str) -> str:
    return "q" + chance.choice(second) + "".join(chance.choices(LETTERS, k=6))


def _medians(
    deps: Dependencies, secret: list[str], form: str, pairs: int, clock: Clock
) -> tuple[float, float]:
    chance = random.Random(form)
    times: tuple[list[float], list[float]] = ([], [])
    for pair in range(-WARM_UP, pairs):
        # An absent word is as long as the hidden ones, and is searched once too.
        words = (chance.choice(secret), _word(chance, ABSENT))
        # Alternate which goes first: what the first one warms, it warms for both.
        for which in (pair % 2, 1 - pair % 2):
            word = words[which]
            query = form.format(word=word, prefix=word[:2])
            begun = clock()
            find_as(deps, "nat", query)
            if pair >= 0:
                times[which].append(clock() - begun)
    return statistics.median(times[0]), statistics.median(times[1])


if __name__ == "__main__":
    raise SystemExit(main())
