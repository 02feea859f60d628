"""How fast a directory answers: ``python -m bench.directory [PEOPLE]``.

The questions that are asked all the time, of 100,000 people and of a hundredth of them,
in turn and on both databases: what does not grow with the directory has a ratio near 1.
"""

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
from tests.services.projects.sample_world import Story
from tests.services.projects.test_query_plans import HOT, Ask

PEOPLE = 100_000
SMALLER = 100
ROUNDS = 41


def main() -> None:
    """Measure and print a table for each database."""
    people = int(sys.argv[1]) if len(sys.argv) > 1 else PEOPLE
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
        large = _story(place("large"), people, after)
        small = _story(place("small"), people // SMALLER, after)
        yield f"\n{name}: {people:,} people, and {people // SMALLER:,}"
        yield f"  {'question':44} {'p50 ms':>8} {'p95 ms':>8} {'ratio':>6}"
        for what, ask in HOT:
            yield _line(what, *_times_of((large, small), ask))


def _line(what: str, large: list[float], small: list[float]) -> str:
    p50, p95 = statistics.median(large), sorted(large)[int(len(large) * 0.95)]
    return f"  {what:44} {p50:8.2f} {p95:8.2f} {p50 / statistics.median(small):6.2f}"


def _story(url: str, people: int, after: ExitStack) -> Story:
    migrate(url, "clp_projects")
    database = Database(url)
    _ = after.callback(database.close)
    story = Story(database)
    story.begin()
    fill(database, people)
    return story


def _times_of(stories: tuple[Story, ...], ask: Ask) -> list[list[float]]:
    found: list[list[float]] = [[] for _ in stories]
    for _ in range(ROUNDS):
        for story, times in zip(stories, found, strict=True):
            begun = time.perf_counter()
            ask(story)
            times.append((time.perf_counter() - begun) * 1000)
    return found


if __name__ == "__main__":
    main()
