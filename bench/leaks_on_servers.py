"""Compare response times with and without rivals, on servers (T33).

``python -m bench.leaks_on_servers``: five processes on RabbitMQ and PostgreSQL. One
project has forty other partners with people and thousands of messages, its twin has
none. Somebody of one partner makes the same calls on both in pairs, in alternating
order; names people that are hidden, and people that do not exist; asks about messages
that are hidden, and that do not exist. The medians must not differ by more than a
twentieth.
"""

from clp_suite.process_suite import ProcessSuite  # isort: skip - first: it patches

import argparse
import itertools
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from clp_contracts.errors import Refused
from clp_suite.sample_data import PORTAL
from clp_suite.server_process import server_directory
from clp_suite.servers import PrivatePostgres, PrivateRabbit
from clp_suite.suite import Suite

CLOSE: Final = 0.05
RIVALS: Final = 40
PEOPLE_EACH: Final = 3
ADDRESSES: Final = 100
WARM_UP: Final = 20
BUSY, SILENT = "busy", "silent"
Call = Callable[[], object]


@dataclass(frozen=True)
class Pair:
    """Two calls that must take equally long."""

    name: str
    one: Call
    other: Call


def main() -> int:
    """Measure and print; return 1 when a pair exceeds the bound."""
    parser = argparse.ArgumentParser(prog="python -m bench.leaks_on_servers")
    parser.add_argument("--pairs", type=int, default=400)
    parser.add_argument("--messages", type=int, default=3_000, help="of the rivals")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        server_directory() as servers,
        PrivateRabbit(servers / "rabbit") as rabbit,
        PrivatePostgres(servers / "postgres") as postgres,
        ProcessSuite(Path(folder) / "suite", rabbit=rabbit, postgres=postgres) as suite,
    ):
        hidden = fill(suite, options.messages)
        suite.settle(120)
        print("| call | rivals or hidden, ms | none, ms | difference |")
        print("| --- | ---: | ---: | ---: |")
        leaks = 0
        for pair in pairs_of(suite, hidden):
            one, other = medians(pair, options.pairs)
            leaks += abs(one / other - 1) > CLOSE
            print(
                f"| {pair.name} | {one * 1000:.2f} | {other * 1000:.2f} "
                f"| {one / other - 1:+.1%} |"
            )
            sys.stdout.flush()
    return int(leaks > 0)


def fill(suite: Suite, messages: int) -> str:
    """Create both projects; return the id of a message of a rival."""
    directory = suite.client(service="directory").projects
    rivals = [f"rival{number}" for number in range(RIVALS)]
    for partner in ("north", *rivals):
        directory.put_partner(id=partner, name=partner.title())
        many = PEOPLE_EACH if partner != "north" else 1
        for number in range(many):
            put_person(suite, f"{partner}-p{number}", partner)
    put_person(suite, "ivy", None)
    for project, partners in ((BUSY, ("north", *rivals)), (SILENT, ("north",))):
        directory.put_project(id=project, title="Night Train")
        for partner in partners:
            directory.assign_partner(project=project, partner=partner, languages=["fr"])
        for number in range(60):
            post(suite, "ivy", f"{project}/direct/north", f"the mix of scene {number}")
    posted = ""
    for number in range(messages):
        partner = rivals[number % RIVALS]
        posted = post(suite, "ivy", f"{BUSY}/direct/{partner}", f"the mix {number}")
    return posted


def put_person(suite: Suite, name: str, partner: str | None) -> None:
    """Store a person of a partner, or of the studio."""
    suite.client(service="directory").projects.put_person(
        id=name,
        name=name.replace("-", " ").title(),
        email=f"{name}@{partner or 'studio'}.example",
        roles=[PORTAL],
        **({"internal": True} if partner is None else {"partner": partner}),
    )


def pairs_of(suite: Suite, hidden: str) -> Iterator[Pair]:
    """Return the pairs of calls of somebody of north."""
    nat = suite.client("north-p0")
    twins: dict[str, Callable[[str], object]] = {
        "page": lambda p: nat.messages.page(channel=f"{p}/direct/north"),
        "channels": lambda p: nat.messages.channels(project=p),
        "unread": lambda p: nat.messages.unread(projects=[p]),
        "autocomplete": lambda p: nat.messages.mentionable(
            channel=f"{p}/direct/north", typed="i"
        ),
        "find": lambda p: nat.search.find(query="scene", project=p),
        "find by a prefix": lambda p: nat.search.find(query="sc* mi*", project=p),
        "post": lambda p: post(suite, "north-p0", f"{p}/direct/north", "one more"),
    }
    for name, call in twins.items():
        yield Pair(name, lambda c=call: c(BUSY), lambda c=call: c(SILENT))  # type: ignore[misc]
    people = range(ADDRESSES)
    texts = [
        " ".join(f"@{who}{n % RIVALS}-p{n // RIVALS}@{who}.example" for n in people)
        for who in ("rival", "other")
    ]
    hidden_people, absent_people = (
        lambda t=text: post(suite, "north-p0", f"{BUSY}/direct/north", t)
        for text in texts
    )
    yield Pair(f"post, {ADDRESSES} addresses", hidden_people, absent_people)
    absent = "0" * len(hidden)
    yield Pair(
        "edit of a message",
        lambda: refused(lambda: nat.messages.edit(message=hidden, text="x")),
        lambda: refused(lambda: nat.messages.edit(message=absent, text="x")),
    )
    yield Pair(
        "explain a message",
        lambda: refused(lambda: nat.notifications.explain(message=hidden)),
        lambda: refused(lambda: nat.notifications.explain(message=absent)),
    )


def refused(call: Call) -> None:
    """Make a call that is refused."""
    with suppress(Refused):
        call()


def medians(pair: Pair, pairs: int) -> tuple[float, float]:
    """Time both calls in alternating order; return the medians in seconds."""
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(-WARM_UP, pairs):
        for which in (number % 2, 1 - number % 2):
            begun = time.perf_counter()
            (pair.one, pair.other)[which]()
            if number >= 0:
                times[which].append(time.perf_counter() - begun)
    return statistics.median(times[0]), statistics.median(times[1])


_serial = itertools.count()


def post(suite: Suite, person: str, channel: str, text: str) -> str:
    """Post with a fresh key; return the id."""
    key = f"k{next(_serial)}"
    return suite.client(person).messages.post(channel=channel, text=text, key=key).id


if __name__ == "__main__":
    raise SystemExit(main())
