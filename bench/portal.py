"""Measure the portal: ``python -m bench.portal``.

Two processes on RabbitMQ and PostgreSQL. Pages beside a bare RPC of the same run:
median and 95th percentile, and the portal's processor time a page. Targets: a
conversation of 50 messages under 50 ms (p50) with at most 5 ms of the portal's
processor; post to screen p95 under 500 ms with ``--streams`` streams at four posts a
second. ``tests/services/portal/test_budgets.py`` asserts calls and bytes.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from clp_suite.process_suite import ProcessSuite
from clp_suite.sample_data import PORTAL, put_cast
from tests.services.portal.browser import Browser
from tests.services.portal.openid_provider import OwnProvider
from tests.support.command_line import command_parser
from tests.support.portal_suite import running_portal

ROUNDS: Final = 60
CHANNEL: Final = "p1/direct/north"
PAGES: Final = {
    "My Projects": "/",
    "conversation of 50": f"/{CHANNEL}?latest=1",
    "older page": f"/{CHANNEL}?before=60&fragment=1",
    "search": f"/{CHANNEL}?q=zebra",
    "messages as JSON": f"/-/api/channels/{CHANNEL}/messages",
}
POSTS_PER_S: Final = 4
SECONDS: Final = 20


@dataclass(frozen=True)
class Portal:
    """The running suite with its provider."""

    suite: ProcessSuite
    provider: OwnProvider

    def signed_in(self, person: str, *, process: int = 0) -> Browser:
        """A browser of a person; its session is known to both processes."""
        self.provider.person = person
        browser = Browser(self.suite.portal_urls[0])
        browser.get("/-/sign-in")
        browser.url = self.suite.portal_urls[process]
        return browser

    def cpu_s(self) -> float:
        """Processor seconds of both processes so far."""
        return sum(_cpu_s(pid) for pid in self.suite.pids_of("portal"))


def main() -> None:
    """Measure pages, then streams."""
    parser = command_parser()
    parser.add_argument("--streams", type=int, default=500)
    args = parser.parse_args()
    with running(args.streams) as portal:
        measure_pages(portal)
        measure_streams(portal, args.streams)


@contextmanager
def running(people: int) -> Iterator[Portal]:
    """Start the suite with a conversation, and people who follow it."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running_portal(Path(folder), portals=2) as portal,
    ):
        _fill(portal.suite, people)
        yield Portal(portal.suite, portal.provider)


def _fill(suite: ProcessSuite, people: int) -> None:
    directory = suite.client(service="directory").projects
    put_cast(suite.client(service="directory"))
    directory.put_project(id="p1", title="Night Train")
    directory.assign_partner(project="p1", partner="north", languages=["fr"])
    for number in range(people):
        directory.put_person(
            id=f"n{number}",
            name=f"Person {number}",
            email=f"n{number}@north.example",
            partner="north",
            roles=[PORTAL],
        )
    for number in range(120):
        author = "nat" if number % 3 else "ivy"
        text = f"Line {number} of what two people write about the zebra."
        suite.client(author).messages.post(channel=CHANNEL, key=f"{number}", text=text)
    suite.client("nat").projects.follow(project="p1")


def measure_pages(portal: Portal) -> None:
    """Time each page beside a bare RPC, in rotation."""
    browser = portal.signed_in("nat")
    calls = portal.suite.client("nat")
    acts: dict[str, Callable[[], object]] = {
        "bare RPC": calls.projects.me,
        **{name: lambda p=path: browser.get(p) for name, path in PAGES.items()},
    }
    took: dict[str, list[float]] = {name: [] for name in acts}
    for act in acts.values():
        act()
    for _ in range(ROUNDS):
        for name, act in acts.items():
            begun = time.perf_counter()
            act()
            took[name].append((time.perf_counter() - begun) * 1000)
    bare = statistics.median(took["bare RPC"])
    for name, times in took.items():
        p50, p95 = statistics.median(times), statistics.quantiles(times, n=20)[-1]
        _print(f"{name:<20} p50 {p50:6.1f} ms  p95 {p95:6.1f} ms  x{p50 / bare:4.1f}")
    for name, path in PAGES.items():
        before = portal.cpu_s()
        for _ in range(ROUNDS):
            size = len(browser.get(path).body)
        cpu = (portal.cpu_s() - before) / ROUNDS * 1000
        _print(f"{name:<20} {cpu:5.1f} ms of the portal's processor, {size} bytes")


def measure_streams(portal: Portal, streams: int) -> None:
    """Open streams at both processes and time frames from the post."""
    targets = []
    for number in range(streams):
        browser = portal.signed_in(f"n{number}", process=number % 2)
        targets.append([browser.url, browser.cookies["__Host-clp"]])
    ids, sent_at = _posted_while_reading(portal, targets)
    reader, before, begun = ids
    took = sorted(
        (at - sent_at[number]) * 1000
        for number, at in json.loads(reader.communicate(timeout=120)[0])
        if number in sent_at
    )
    cpu = (portal.cpu_s() - before) / (time.monotonic() - begun) * 100
    wanted = len(sent_at) * streams
    _print(
        f"{streams} streams, {POSTS_PER_S} posts/s: p50 {_at(took, 0.5):.0f} ms, "
        f"p95 {_at(took, 0.95):.0f} ms, p99 {_at(took, 0.99):.0f} ms; "
        f"{len(took)} of {wanted} frames; {cpu:.0f} % of a core for both processes"
    )


def _posted_while_reading(
    portal: Portal, targets: list[list[str]]
) -> tuple[tuple[Any, float, float], dict[int, float]]:
    reader = subprocess.Popen(
        [sys.executable, "-m", "bench.stream_client"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert reader.stdin is not None
    assert reader.stdout is not None
    reader.stdin.write(json.dumps({"targets": targets, "seconds": SECONDS + 15}) + "\n")
    reader.stdin.flush()
    _ = reader.stdout.readline()
    before, begun = portal.cpu_s(), time.monotonic()
    sent_at: dict[int, float] = {}
    ivy = portal.suite.client("ivy").messages
    for number in range(POSTS_PER_S * SECONDS):
        due = begun + number / POSTS_PER_S
        time.sleep(max(0.0, due - time.monotonic()))
        at = time.time()
        posted = ivy.post(channel=CHANNEL, key=f"live-{number}", text=f"Live {number}")
        sent_at[posted.number] = at
    return (reader, before, begun), sent_at


def _at(values: Sequence[float], share: float) -> float:
    return values[min(len(values) - 1, int(len(values) * share))] if values else 0.0


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def _print(line: str) -> None:
    _ = sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
