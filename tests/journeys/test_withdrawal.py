"""A person without access reads nothing once that is confirmed (rules 2, 5 and 7)."""

import threading
import time
from collections.abc import Callable

import pytest

from clp_contracts.errors import Refused
from clp_suite.sample_data import CastMember
from clp_suite.suite import Suite
from tests.journeys.scenario import Scenario
from tests.support.waiting import until

ROUNDS = 3


def refused(call: Callable[[], object]) -> bool:
    """Whether a call gives nothing: a refusal, a 404, or an empty response."""
    try:
        return not call()
    except Refused as error:
        return error.code in {"channel.missing", "project.missing", "message.missing"}


def looks(
    scenario: Scenario, person: str, message: str
) -> dict[str, Callable[[], object]]:
    """Everything that shows somebody something of the project."""
    messages, search = scenario.as_(person).messages, scenario.as_(person).search
    north = scenario.direct("north")
    return {
        "the broadcast": lambda: messages.page(channel=scenario.broadcast),
        "a page": lambda: messages.page(channel=north),
        "the channels": lambda: messages.channels(project=scenario.project),
        "unread": lambda: messages.unread(projects=[scenario.project]).projects,
        "a post": lambda: messages.post(channel=north, text="x", key="late"),
        "an edit": lambda: messages.edit(message=message, text="late"),
        "autocomplete": lambda: messages.mentionable(channel=north, typed="i"),
        "search": lambda: search.find(query="zebra", channel=north),
        "my projects": lambda: [
            p
            for p in scenario.as_(person).projects.my_projects().projects
            if p.id == scenario.project
        ],
    }


class PollingReader:
    """A reader that polls and notes when each successful look began."""

    def __init__(self, look: Callable[[], object]) -> None:
        self._look = look
        self._stopped = False
        self.seen_at: list[float] = []
        self._thread = threading.Thread(target=self._poll)
        self._thread.start()

    def _poll(self) -> None:
        while not self._stopped:
            begun = time.monotonic()
            if not refused(self._look):
                self.seen_at.append(begun)

    def stop(self) -> None:
        self._stopped = True
        self._thread.join()


def test_after_a_confirmed_withdrawal_the_partner_reads_nothing(
    scenario: Scenario,
) -> None:
    posted = scenario.post("nat", scenario.direct("north"), "the zebra crosses")
    scenario.follow("nat")
    scenario.suite.settle()
    everything = looks(scenario, "nat", posted.id)
    for _ in range(ROUNDS):
        # Everybody's facts are as fresh in memory as they can be.
        scenario.post("ivy", scenario.direct("north"), "hello")
        page = everything["a page"]
        readers = [
            PollingReader(page),
            PollingReader(everything["search"]),
            PollingReader(page),
        ]
        for somebody in readers:
            until(somebody.seen_at.__len__)
        scenario.withdraw("north")
        ended_at = time.monotonic()
        late = {name for name, look in everything.items() if not refused(look)}
        for somebody in readers:
            somebody.stop()
        assert late == set()
        assert all(max(somebody.seen_at) < ended_at for somebody in readers)
        scenario.assign("north")
        assert {n for n, look in everything.items() if refused(look)} == set()


def test_the_studio_reads_a_newly_assigned_partner_at_once(scenario: Scenario) -> None:
    ivy = scenario.as_("ivy").messages
    assert ivy.page(channel=scenario.broadcast).messages == ()
    with pytest.raises(Refused, match=r"channel\.missing"):
        ivy.page(channel=scenario.direct("west"))
    scenario.assign("west")
    assert ivy.page(channel=scenario.direct("west")).messages == ()


def test_a_person_who_leaves_reads_nothing_once_it_is_confirmed(
    scenario: Scenario, suite: Suite
) -> None:
    zoe = CastMember("zoe", "Zoë Hart")
    directory = suite.client(service="directory").projects

    def put(*, active: bool) -> None:
        directory.put_person(
            id=zoe.id,
            name=zoe.name,
            email=zoe.email,
            internal=True,
            roles=zoe.roles,
            active=active,
        )

    put(active=True)
    posted = scenario.post("zoe", scenario.direct("north"), "the zebra crosses")
    everything = looks(scenario, "zoe", posted.id)
    assert not refused(everything["a page"])
    readers = PollingReader(everything["a page"])
    until(readers.seen_at.__len__)
    put(active=False)
    ended_at = time.monotonic()
    late = {name for name, look in everything.items() if not refused(look)}
    readers.stop()
    assert late == set()
    assert max(readers.seen_at) < ended_at
