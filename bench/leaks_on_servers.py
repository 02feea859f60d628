"""Compare response times with and without rivals, on servers (T33).

``python -m bench.leaks_on_servers``: five processes on RabbitMQ and PostgreSQL. One
project has forty other partners with people and thousands of messages, its twin has
none. Somebody of one partner makes the same calls on both in pairs, in alternating
order; names people that are hidden, and people that do not exist; asks about messages
that are hidden, and that do not exist. The medians must not differ by more than a
twentieth. Then a rival of the first project posts, and is silent, in turns: how long a
call waits may depend on that, so this is measured and not judged. Nobody has a rate
limit here, which would be all that is measured.
"""

from clp_suite.process_suite import ProcessSuite  # isort: skip - first: it patches

import itertools
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import eventlet
from typing_extensions import override

from clp_contracts.errors import Refused
from clp_suite.sample_data import PORTAL
from clp_suite.server_process import server_directory
from clp_suite.servers import PrivatePostgres, PrivateRabbit
from clp_suite.suite import Suite
from tests.support.command_line import command_parser

CLOSE: Final = 0.05
RIVALS: Final = 40
PEOPLE_EACH: Final = 3
ADDRESSES: Final = 100
WARM_UP: Final = 20
BUSY, SILENT = "busy", "silent"
# In each message of the rivals; and a word that is nowhere. No prefix is shared.
HIDDEN_WORD, ABSENT_WORD = "qbword", "zkword"
POSTING_AT_ONCE: Final = 8
NEIGHBOUR_POSTS_A_SECOND: Final = 10
TURN_S: Final = 3.0
NO_LIMITS: Final = {
    "CLP_CALLS_AT_ONCE": "1000000",
    "CLP_CALLS_PER_SECOND": "1000000",
}
Call = Callable[[], object]


@dataclass(frozen=True)
class Pair:
    """Two calls that must take equally long."""

    name: str
    one: Call
    other: Call


class UnlimitedSuite(ProcessSuite):
    """Processes without the rate limit of a person."""

    @override
    def environ(self, name: str) -> dict[str, str]:
        """Return the settings of a process."""
        return super().environ(name) | NO_LIMITS


def main() -> int:
    """Measure and print; return 1 when a pair exceeds the bound."""
    parser = command_parser()
    parser.add_argument("--pairs", type=int, default=400)
    parser.add_argument("--messages", type=int, default=3_000, help="of the rivals")
    parser.add_argument("--turns", type=int, default=8, help="of the neighbour")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        server_directory() as servers,
        PrivateRabbit(servers / "rabbit") as rabbit,
        PrivatePostgres(servers / "postgres") as postgres,
        UnlimitedSuite(
            Path(folder) / "suite", rabbit=rabbit, postgres=postgres
        ) as suite,
    ):
        hidden = fill(suite, options.messages)
        suite.settle(120)
        print("| call | rivals or hidden, ms | none, ms | difference |")
        print("| --- | ---: | ---: | ---: |")
        leaks = 0
        for pair in pairs_of(suite, hidden):
            one, other = medians(pair, options.pairs)
            leaks += abs(one / other - 1) > CLOSE
            print(row(pair.name, one, other), flush=True)
        print("\n| call | neighbour posts, ms | is silent, ms | difference |")
        print("| --- | ---: | ---: | ---: |")
        for name, busy, silent in beside_a_neighbour(suite, options.turns):
            print(row(name, busy, silent), flush=True)
    return int(leaks > 0)


def row(name: str, one: float, other: float) -> str:
    """Return a row of a table, of two medians in seconds."""
    figures = f"{one * 1000:.2f} | {other * 1000:.2f} | {one / other - 1:+.1%}"
    return f"| {name} | {figures} |"


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

    def post_to_rival(number: int) -> str:
        channel = f"{BUSY}/direct/{rivals[number % RIVALS]}"
        return post(suite, "ivy", channel, f"the mix {number} {HIDDEN_WORD}")

    pool = eventlet.GreenPool(POSTING_AT_ONCE)
    posted: list[str] = list(pool.imap(post_to_rival, range(messages)))
    return posted[-1]


def put_person(suite: Suite, name: str, partner: str | None) -> None:
    """Store a person of a partner, or of the studio."""
    suite.client(service="directory").projects.put_person(
        id=name,
        name=name.replace("-", " ").title(),
        email=f"{name}@{partner or 'studio'}.example",
        roles=[PORTAL],
        **({"internal": True} if partner is None else {"partner": partner}),
    )


def calls_of(suite: Suite) -> dict[str, Callable[[str], object]]:
    """Return calls of somebody of north about a project."""
    nat = suite.client("north-p0")
    return {
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


def pairs_of(suite: Suite, hidden: str) -> Iterator[Pair]:
    """Return the pairs of calls of somebody of north."""
    nat = suite.client("north-p0")
    for name, call in calls_of(suite).items():
        yield Pair(name, lambda c=call: c(BUSY), lambda c=call: c(SILENT))  # type: ignore[misc]
    for form in ("{0}", "{0:.2}*", "the {0:.2}*", "-{0} scene"):
        hidden_query, absent_query = map(form.format, (HIDDEN_WORD, ABSENT_WORD))
        yield Pair(
            f"find `{hidden_query}`",
            partial(nat.search.find, query=hidden_query, project=BUSY),
            partial(nat.search.find, query=absent_query, project=BUSY),
        )
    texts = [
        " ".join(f"@{one}-p{n // RIVALS}@{one}.example" for n, one in people)
        for people in (
            [(n, f"{who}{n % RIVALS}") for n in range(ADDRESSES)]
            for who in ("rival", "other")
        )
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


def beside_a_neighbour(suite: Suite, turns: int) -> Iterator[tuple[str, float, float]]:
    """Time calls while a neighbour posts and while it is silent, in turns."""
    times: dict[tuple[str, bool], list[float]] = defaultdict(list)
    calls = calls_of(suite)
    for turn in range(turns):
        for posting in (turn % 2 == 0, turn % 2 == 1):
            end = time.monotonic() + TURN_S
            neighbour = eventlet.spawn(_post_until, suite, end if posting else 0.0)
            while time.monotonic() < end:
                for name, call in calls.items():
                    times[name, posting].append(_seconds_of(lambda c=call: c(BUSY)))  # type: ignore[misc]
            neighbour.wait()
    for name in calls:
        busy, silent = times[name, True], times[name, False]
        yield name, statistics.median(busy), statistics.median(silent)


def _post_until(suite: Suite, end: float) -> None:
    pauses = 1 / NEIGHBOUR_POSTS_A_SECOND
    while time.monotonic() < end:
        post(suite, "rival0-p0", f"{BUSY}/direct/rival0", "the mix is done")
        eventlet.sleep(pauses)


def _seconds_of(call: Call) -> float:
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun


def refused(call: Call) -> None:
    """Make a call that is refused."""
    with suppress(Refused):
        call()


def medians(pair: Pair, pairs: int) -> tuple[float, float]:
    """Time both calls in alternating order; return the medians in seconds."""
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(-WARM_UP, pairs):
        for which in (number % 2, 1 - number % 2):
            took = _seconds_of((pair.one, pair.other)[which])
            if number >= 0:
                times[which].append(took)
    return statistics.median(times[0]), statistics.median(times[1])


_serial = itertools.count()


def post(suite: Suite, person: str, channel: str, text: str) -> str:
    """Post with a fresh key; return the id."""
    key = f"k{next(_serial)}"
    return suite.client(person).messages.post(channel=channel, text=text, key=key).id


if __name__ == "__main__":
    raise SystemExit(main())
