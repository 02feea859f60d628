"""Measure how a busy partner delays 49 quiet ones: ``make bench-fairness`` (F15).

python -m bench.fairness [--partners 49] [--busy 200] [--seconds 20]

Every partner posts in its own channel, the quiet ones once a second; first alone, then
beside one that posts so many a second, or as many as it gets responses for. Both are
measured in rotation; the target is the ratio: at most 1.5 for p99.
"""

from clp_suite import EmbeddedSuite  # isort: skip - first: it patches the process

import argparse
import math
import statistics
import tempfile
import time
from collections.abc import Iterator
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

PROJECT: Final = "p1"
BUSY: Final = "busy"
# The number of concurrent calls of the busy partner.
AT_ONCE: Final = 16
MAX_RATIO: Final = 1.5


def main() -> None:
    """Measure and print."""
    parser = command_parser()
    parser.add_argument("--partners", type=int, default=49)
    parser.add_argument("--busy", type=float, default=200.0, metavar="A_SECOND")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--embedded", action="store_true", help="in one process")
    options = parser.parse_args()
    quiet = [f"quiet{number}" for number in range(options.partners)]
    with tempfile.TemporaryDirectory() as folder:
        for suite in started(Path(folder), embedded=options.embedded):
            create_project(suite, [BUSY, *quiet])
            measured(suite, quiet, 0.0, options.seconds / 4)  # what is not counted
            report(suite, quiet, options)


def report(suite: Suite, quiet: list[str], options: argparse.Namespace) -> None:
    """Print the table of all rounds."""
    print("| quiet partners | posts/s beside | p50 ms | p99 ms | p99 : p99 alone |")
    print("| --- | --- | --- | --- | --- |")
    ratios = []
    for _ in range(options.rounds):
        alone, _ = measured(suite, quiet, 0.0, options.seconds)
        beside, posts = measured(suite, quiet, options.busy, options.seconds)
        ratios.append(p99(beside) / p99(alone))
        print(row("alone", 0.0, alone, ""))
        print(row("beside the busy one", posts, beside, f"{ratios[-1]:.2f}"))
    worst = max(ratios)
    verdict = "kept" if worst <= MAX_RATIO else "BROKEN"
    print(f"\nratio {min(ratios):.2f} to {worst:.2f}, at most {MAX_RATIO}: {verdict}")


def row(who: str, posts: float, seconds: list[float], ratio: str) -> str:
    """Return one row of the table."""
    middle = statistics.median(seconds) * 1000
    return (
        f"| {who} | {posts:.0f} | {middle:.1f} | {p99(seconds) * 1000:.1f} | {ratio} |"
    )


def p99(seconds: list[float]) -> float:
    """Return the 99th percentile."""
    return sorted(seconds)[math.ceil(len(seconds) * 0.99) - 1]


def measured(
    suite: Suite, quiet: list[str], busy: float, seconds: float
) -> tuple[list[float], float]:
    """Return the time of each post of a quiet partner, and the posts of the busy one."""
    took: list[float] = []
    done: list[int] = []
    end = time.monotonic() + seconds
    storms = [
        eventlet.spawn(
            post_at_rate, suite, BUSY, (AT_ONCE / busy, end), lambda _: done.append(1)
        )
        for _ in range(AT_ONCE if busy else 0)
    ]
    talks = []
    for partner in quiet:
        talks.append(
            eventlet.spawn(post_at_rate, suite, partner, (1.0, end), took.append)
        )
        eventlet.sleep(1.0 / len(quiet))  # not all in the same moment
    for one in (*storms, *talks):
        one.wait()
    return took, len(done) / seconds


_serial = iter(range(1 << 60))


def post_at_rate(
    suite: Suite, partner: str, rate: tuple[float, float], record: object
) -> None:
    """Post at a rate until the end, and record the time of each call."""
    every, end = rate
    messages = suite.client(f"at-{partner}").messages
    while (began := time.monotonic()) < end:
        key = f"k{next(_serial)}"
        try:
            messages.post(
                channel=f"{PROJECT}/direct/{partner}", text=f"line {key}", key=key
            )
        except (CallFailed, Refused) as error:
            print(f"not answered: {error}")
        spent = time.monotonic() - began
        record(spent)  # type: ignore[operator]
        eventlet.sleep(max(0.0, every - spent))


def create_project(suite: Suite, partners: list[str]) -> None:
    """Create a project with all partners, and an internal follower."""
    directory = suite.client(service="directory").projects
    directory.put_project(id=PROJECT, title="Night Train")
    directory.put_person(
        id="ivy",
        name="Ivy Lane",
        email="ivy@studio.example",
        internal=True,
        roles=[PORTAL],
    )
    suite.client("ivy").projects.follow(project=PROJECT)
    for partner in partners:
        directory.put_partner(id=partner, name=partner.title())
        directory.assign_partner(project=PROJECT, partner=partner, languages=["fr"])
        directory.put_person(
            id=f"at-{partner}",
            name=f"At {partner.title()}",
            email=f"at@{partner}.example",
            partner=partner,
            roles=[PORTAL],
        )


def started(folder: Path, *, embedded: bool) -> Iterator[Suite]:
    """Start the suite, in one process or as processes on servers."""
    if embedded:
        with EmbeddedSuite(folder / "suite", mail_window_s=60.0) as suite:
            yield suite
        return
    with (
        server_directory() as servers,
        PrivateRabbit(servers / "rabbit") as rabbit,
        PrivatePostgres(servers / "postgres") as postgres,
        ProcessSuite(
            folder / "suite", rabbit=rabbit, postgres=postgres, mail_window_s=60.0
        ) as running,
    ):
        yield running


if __name__ == "__main__":
    main()
