"""Measure how hostile posts and queries delay others: ``python -m bench.hostile_search``.

Three people of one partner post texts of one letter and of signs that expand, and search
them with the dearest queries, as often as they may (T28). A person of another partner
searches and posts as usual; first alone, then beside them, in rotation. Targets: the
95th percentile of the quiet searches at most 1.5 times that alone, and a post found
within two seconds.
"""

from clp_suite import EmbeddedSuite  # isort: skip - first: it patches the process

import argparse
import itertools
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

import eventlet

from clp_contracts.errors import CallFailed, Refused
from clp_suite.process_suite import ProcessSuite
from clp_suite.sample_data import PORTAL
from clp_suite.server_process import server_directory
from clp_suite.servers import PrivatePostgres, PrivateRabbit
from clp_suite.suite import Suite
from tests.support.command_line import command_parser

Work = Callable[..., None]

PROJECT: Final = "p1"
HOSTILE: Final = ("mallory", "mabel", "marvin")
QUIET_SEARCHES_A_SECOND: Final = 5.0
PROBE_INTERVAL_S: Final = 1.0
MAX_RATIO: Final = 1.5
MAX_AGE_S: Final = 2.0
TOO_MANY: Final = "calls.too_many"
TEXTS: Final = (
    ("a-" * 5_000)[:9_999],
    ("a " * 5_000)[:9_999],
    "\ufdfa" * 1_600,
    "a" + "\u0301\u0316" * 4_999,
)
QUERIES: Final = (
    '"' + "a " * 240 + '"',
    ("a-" * 250)[:499],
    " ".join(f'"{"a " * n}"' for n in range(2, 15))[:500],
    "a aa*",
)


@dataclass
class Figures:
    """Seconds of the quiet searches, and from a post to the search that finds it."""

    searches: list[float] = field(default_factory=list)
    ages: list[float] = field(default_factory=list)
    hostile: list[str] = field(default_factory=list)


def main() -> None:
    """Measure and print."""
    parser = command_parser()
    parser.add_argument("--seconds", type=float, default=50.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--posts", type=int, default=60, help="hostile posts before")
    parser.add_argument("--embedded", action="store_true", help="in one process")
    parser.add_argument("--workers", type=int, default=2, help="of the search process")
    parser.add_argument("--postgres", action="store_true", help="the index there")
    parser.add_argument(
        "--only", choices=("searches", "posts"), help="all that the hostile ones do"
    )
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        started(Path(folder), options) as suite,
    ):
        create_project(suite)
        for number in range(options.posts):
            _post_at_last(suite, HOSTILE[number % 3], TEXTS[number % 2])
        for number in range(40):
            _post(suite, "nat", f"the final mix of scene {number} is ready")
        suite.settle()
        measured(suite, options.seconds / 4)  # what is not counted
        report(suite, options)


def report(suite: Suite, options: argparse.Namespace) -> None:
    """Print the table of all rounds."""
    print(
        "| quiet | searches | p50 ms | p95 ms | ratio | found after, most s | theirs |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- |")
    ratios, ages = [], []
    for _ in range(options.rounds):
        alone = measured(suite, options.seconds)
        beside = measured(suite, options.seconds, hostile=HOSTILE_WORK[options.only])
        ratios.append(p95(beside.searches) / p95(alone.searches))
        ages += beside.ages
        print(row("alone", alone, ""))
        print(row("beside", beside, f"{ratios[-1]:.2f}"), flush=True)
    middle = statistics.median(ratios)
    kept = middle <= MAX_RATIO and max(ages) <= MAX_AGE_S
    print(f"\nmedian ratio {middle:.2f}, found after {max(ages):.2f} s at most:", kept)


def row(name: str, figures: Figures, ratio: str) -> str:
    """Return one row of the table."""
    middle = statistics.median(figures.searches) * 1000
    outcomes = ", ".join(
        f"{outcome} {figures.hostile.count(outcome)}"
        for outcome in sorted(set(figures.hostile))
    )
    return (
        f"| {name} | {len(figures.searches)} | {middle:.1f} "
        f"| {p95(figures.searches) * 1000:.1f} | {ratio} "
        f"| {max(figures.ages, default=0):.2f} | {outcomes} |"
    )


def p95(seconds: list[float]) -> float:
    """Return the 95th percentile."""
    return statistics.quantiles(seconds, n=20)[-1]


def measured(suite: Suite, seconds: float, *, hostile: Sequence[Work] = ()) -> Figures:
    """Search and post as usual for some seconds, alone or beside hostile work."""
    figures, end = Figures(), time.monotonic() + seconds
    work: list[Callable[[], None]] = [
        partial(_search_as_usual, suite, figures, end),
        partial(_probe, suite, figures, end),
        *(
            partial(do, suite, figures, end, person=p)
            for do in hostile
            for p in HOSTILE
        ),
    ]
    for thread in [eventlet.spawn(one) for one in work]:
        thread.wait()
    return figures


def _search_as_usual(suite: Suite, figures: Figures, end: float) -> None:
    search = suite.client("nat").search
    for number in itertools.count():
        begun = time.monotonic()
        if begun >= end:
            return
        query = ("mix", '"final mix"', "scene ready", f"scene {number % 40}")[
            number % 4
        ]
        try:
            search.find(query=query, project=PROJECT)
        except (CallFailed, Refused) as error:
            print(f"a quiet search failed: {error}")
        figures.searches.append(time.monotonic() - begun)
        eventlet.sleep(max(0.0, begun + 1 / QUIET_SEARCHES_A_SECOND - time.monotonic()))


def _probe(suite: Suite, figures: Figures, end: float) -> None:
    """Post a word and search until it is found."""
    search = suite.client("ned").search
    while time.monotonic() < end:
        word = f"probe{next(_serial)}word"
        _post(suite, "ned", word)
        begun = time.monotonic()
        while not search.find(query=word, project=PROJECT).hits:
            eventlet.sleep(0.02)
        figures.ages.append(time.monotonic() - begun)
        eventlet.sleep(PROBE_INTERVAL_S)


def _attack(suite: Suite, figures: Figures, end: float, *, person: str) -> None:
    """Search without a pause, as far as the limits of a person allow."""
    search = suite.client(person).search
    for number in itertools.count():
        if time.monotonic() >= end:
            return
        query = QUERIES[number % len(QUERIES)][:500]
        find = partial(search.find, query=query, project=PROJECT, limit=50)
        figures.hostile.append(_outcome(find, "found"))
        eventlet.sleep(0)


def _flood(suite: Suite, figures: Figures, end: float, *, person: str) -> None:
    """Post without a pause, as far as the limits of a person allow."""
    for number in itertools.count():
        if time.monotonic() >= end:
            return
        text = TEXTS[number % len(TEXTS)]
        figures.hostile.append(_outcome(partial(_post, suite, person, text), "posted"))
        eventlet.sleep(0)


def _outcome(call: Callable[[], object], done: str) -> str:
    try:
        call()
    except (CallFailed, Refused) as error:
        return getattr(error, "code", type(error).__name__)
    return done


HOSTILE_WORK: Final[Mapping[str | None, Sequence[Work]]] = {
    None: (_attack, _flood),
    "searches": (_attack,),
    "posts": (_flood,),
}
_serial = itertools.count()


def _post(suite: Suite, person: str, text: str) -> None:
    partner = "north" if person.startswith("n") else "south"
    suite.client(person).messages.post(
        channel=f"{PROJECT}/direct/{partner}", text=text, key=f"k{next(_serial)}"
    )


def _post_at_last(suite: Suite, person: str, text: str) -> None:
    """Post as soon as the limits of a person allow it."""
    while _outcome(partial(_post, suite, person, text), "posted") == TOO_MANY:
        eventlet.sleep(0.1)


def create_project(suite: Suite) -> None:
    """Create a project with two partners, one of them hostile."""
    directory = suite.client(service="directory").projects
    directory.put_project(id=PROJECT, title="Night Train")
    people = {"north": ("nat", "ned"), "south": HOSTILE}
    for partner, names in people.items():
        directory.put_partner(id=partner, name=partner.title())
        directory.assign_partner(project=PROJECT, partner=partner, languages=["fr"])
        for name in names:
            directory.put_person(
                id=name,
                name=name.title(),
                email=f"{name}@{partner}.example",
                partner=partner,
                roles=[PORTAL],
            )


@contextmanager
def started(folder: Path, options: argparse.Namespace) -> Iterator[Suite]:
    """Start the suite, in one process or as processes on servers."""
    if options.embedded:
        with EmbeddedSuite(folder / "suite", mail_window_s=60.0) as suite:
            yield suite
        return
    with (
        server_directory() as servers,
        PrivateRabbit(servers / "rabbit") as rabbit,
        PrivatePostgres(servers / "postgres") as postgres,
    ):
        suite = ProcessSuite(
            folder / "suite",
            rabbit=rabbit,
            postgres=postgres,
            mail_window_s=60.0,
            search_in_postgres=options.postgres,
        )
        suite.use_search_workers(options.workers)
        with suite as running:
            yield running


if __name__ == "__main__":
    main()
