"""``make bench-fairness``: what 49 quiet partners notice of one that never stops (R15).

    python -m bench.fairness [--partners 49] [--busy 200] [--seconds 20]

Every partner posts in its own channel, the quiet ones once a second; first alone, then
beside one that posts so many a second, or as many as are answered. Both are measured in
turn, and what counts is the ratio: at most 1.5 for p99.
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

PROJECT: Final = "p1"
BUSY: Final = "busy"
# So many calls of the busy partner are under way at a time.
AT_ONCE: Final = 16
MOST_RATIO: Final = 1.5


def main() -> None:
    """Measure and print."""
    asked = argparse.ArgumentParser(prog="python -m bench.fairness")
    asked.add_argument("--partners", type=int, default=49)
    asked.add_argument("--busy", type=float, default=200.0, metavar="A_SECOND")
    asked.add_argument("--seconds", type=float, default=20.0)
    asked.add_argument("--rounds", type=int, default=3)
    asked.add_argument("--embedded", action="store_true", help="in one process")
    given = asked.parse_args()
    quiet = [f"quiet{number}" for number in range(given.partners)]
    with tempfile.TemporaryDirectory() as folder:
        for suite in started(Path(folder), embedded=given.embedded):
            put_everybody(suite, [BUSY, *quiet])
            measured(suite, quiet, 0.0, given.seconds / 4)  # what is not counted
            report(suite, quiet, given)


def report(suite: Suite, quiet: list[str], given: argparse.Namespace) -> None:
    """The table of all rounds."""
    print("| quiet partners | posts/s beside | p50 ms | p99 ms | p99 : p99 alone |")
    print("| --- | --- | --- | --- | --- |")
    ratios = []
    for _ in range(given.rounds):
        alone, _ = measured(suite, quiet, 0.0, given.seconds)
        beside, posts = measured(suite, quiet, given.busy, given.seconds)
        ratios.append(p99(beside) / p99(alone))
        print(row("alone", 0.0, alone, ""))
        print(row("beside the busy one", posts, beside, f"{ratios[-1]:.2f}"))
    worst = max(ratios)
    verdict = "kept" if worst <= MOST_RATIO else "BROKEN"
    print(f"\nratio {min(ratios):.2f} to {worst:.2f}, at most {MOST_RATIO}: {verdict}")


def row(who: str, posts: float, seconds: list[float], ratio: str) -> str:
    """One row of the table."""
    middle = statistics.median(seconds) * 1000
    return (
        f"| {who} | {posts:.0f} | {middle:.1f} | {p99(seconds) * 1000:.1f} | {ratio} |"
    )


def p99(seconds: list[float]) -> float:
    """What one in a hundred took longer than."""
    return sorted(seconds)[math.ceil(len(seconds) * 0.99) - 1]


def measured(
    suite: Suite, quiet: list[str], busy: float, seconds: float
) -> tuple[list[float], float]:
    """How long each post of a quiet partner took, and how many the busy one got in."""
    took: list[float] = []
    done: list[int] = []
    end = time.monotonic() + seconds
    storms = [
        eventlet.spawn(
            talk, suite, BUSY, (AT_ONCE / busy, end), lambda _: done.append(1)
        )
        for _ in range(AT_ONCE if busy else 0)
    ]
    talks = []
    for partner in quiet:
        talks.append(eventlet.spawn(talk, suite, partner, (1.0, end), took.append))
        eventlet.sleep(1.0 / len(quiet))  # not all in the same moment
    for one in (*storms, *talks):
        one.wait()
    return took, len(done) / seconds


_serial = iter(range(1 << 60))


def talk(suite: Suite, partner: str, pace: tuple[float, float], told: object) -> None:
    """Post at a pace until the end; say how long each answer took."""
    every, end = pace
    messages = suite.caller(f"at-{partner}").messages
    while (began := time.monotonic()) < end:
        key = f"k{next(_serial)}"
        try:
            messages.post(
                channel=f"{PROJECT}/direct/{partner}", text=f"line {key}", key=key
            )
        except (CallFailed, Refused) as error:
            print(f"not answered: {error}")
        spent = time.monotonic() - began
        told(spent)  # type: ignore[operator]
        eventlet.sleep(max(0.0, every - spent))


def put_everybody(suite: Suite, partners: list[str]) -> None:
    """A project with all partners on it, and a follower in the studio."""
    directory = suite.caller(service="directory").projects
    directory.put_project(id=PROJECT, title="Night Train")
    directory.put_person(
        id="ivy", name="Ivy Lane", email="ivy@studio.example", roles=[PORTAL]
    )
    suite.caller("ivy").projects.follow(project=PROJECT)
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
    """The suite, in one process or as processes on servers."""
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
