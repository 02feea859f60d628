"""Time the directory: ``python -m bench.directory``.

The most frequent queries over 100,000 people and over a hundredth of them, in rotation
and on both databases: what does not grow with the directory has a ratio near 1.
"""

from clp_chassis.concurrency import monkey_patch  # isort: skip  # noqa: F401 - first: it patches the process

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

from clp_chassis.persistence.database import Database, migrate
from clp_suite.servers import PrivatePostgres, server_directory
from tests.services.projects.bulk_people import fill
from tests.services.projects.sample_world import World
from tests.services.projects.test_query_plans import HOT, Statement
from tests.support.command_line import command_parser

PEOPLE = 100_000
SMALLER = 100
ROUNDS = 41


def main() -> None:
    """Measure and print a table for each database."""
    parser = command_parser()
    parser.add_argument("--people", type=int, default=PEOPLE)
    people = parser.parse_args().people
    with (
        tempfile.TemporaryDirectory() as folder,
        server_directory() as servers,
        PrivatePostgres(servers / "postgres") as postgres,
    ):
        places: dict[str, Callable[[str], str]] = {
            "SQLite": lambda name: f"sqlite:///{Path(folder) / name}.db",
            "PostgreSQL": postgres.create_database,
        }
        for name, place in places.items():
            for line in _measured(name, place, people):
                _ = sys.stdout.write(f"{line}\n")


def _measured(name: str, place: Callable[[str], str], people: int) -> Iterator[str]:
    with ExitStack() as after:
        large = _world(place("large"), people, after)
        small = _world(place("small"), people // SMALLER, after)
        yield f"\n{name}: {people:,} people, and {people // SMALLER:,}"
        yield f"  {'question':44} {'p50 ms':>8} {'p95 ms':>8} {'ratio':>6}"
        for title, query in HOT:
            yield _line(title, *_times_of((large, small), query))


def _line(name: str, large: list[float], small: list[float]) -> str:
    p50, p95 = statistics.median(large), sorted(large)[int(len(large) * 0.95)]
    return f"  {name:44} {p50:8.2f} {p95:8.2f} {p50 / statistics.median(small):6.2f}"


def _world(url: str, people: int, after: ExitStack) -> World:
    migrate(url, "clp_projects")
    database = Database(url)
    _ = after.callback(database.close)
    world = World(database)
    world.begin()
    fill(database, people)
    return world


def _times_of(worlds: tuple[World, ...], query: Statement) -> list[list[float]]:
    found: list[list[float]] = [[] for _ in worlds]
    for _ in range(ROUNDS):
        for world, times in zip(worlds, found, strict=True):
            begun = time.perf_counter()
            query(world)
            times.append((time.perf_counter() - begun) * 1000)
    return found


if __name__ == "__main__":
    main()
