"""Who loses access reads nothing any more, from the answer on (rules 2, 5 and 7)."""

import threading
import time
from collections.abc import Callable

import pytest

from clp_contracts.errors import Refused
from clp_suite.sample_data import Part
from clp_suite.suite import Suite
from tests.journeys.scenario import Stage

ROUNDS = 3


def refused(call: Callable[[], object]) -> bool:
    """Whether a call gives nothing: a refusal, a 404, or an empty answer."""
    try:
        return not call()
    except Refused as error:
        return error.code in {"channel.missing", "project.missing", "message.missing"}


def looks(stage: Stage, person: str, message: str) -> dict[str, Callable[[], object]]:
    """Everything that shows somebody something of the project."""
    messages, search = stage.as_(person).messages, stage.as_(person).search
    north = stage.direct("north")
    return {
        "the broadcast": lambda: messages.page(channel=stage.broadcast),
        "a page": lambda: messages.page(channel=north),
        "the channels": lambda: messages.channels(project=stage.project),
        "unread": lambda: messages.unread(projects=[stage.project]).projects,
        "a post": lambda: messages.post(channel=north, text="x", key="late"),
        "an edit": lambda: messages.edit(message=message, text="late"),
        "type-ahead": lambda: messages.mentionable(channel=north, typed="i"),
        "search": lambda: search.find(query="zebra", channel=north),
        "my projects": lambda: [
            p
            for p in stage.as_(person).projects.my_projects().projects
            if p.id == stage.project
        ],
    }


class Restless:
    """Somebody who looks again and again, and notes what was begun when."""

    def __init__(self, look: Callable[[], object]) -> None:
        self._look = look
        self._stopped = False
        self.seen_at: list[float] = []
        self._thread = threading.Thread(target=self._go_on)
        self._thread.start()

    def _go_on(self) -> None:
        while not self._stopped:
            begun = time.monotonic()
            if not refused(self._look):
                self.seen_at.append(begun)

    def stop(self) -> None:
        self._stopped = True
        self._thread.join()


def test_after_a_withdrawal_was_answered_nobody_of_the_partner_reads(
    stage: Stage,
) -> None:
    posted = stage.post("nat", stage.direct("north"), "the zebra crosses")
    stage.follow("nat")
    stage.suite.settle()
    everything = looks(stage, "nat", posted.id)
    for _ in range(ROUNDS):
        # Everybody's facts are as fresh in memory as they can be.
        stage.post("ivy", stage.direct("north"), "hello")
        page = everything["a page"]
        restless = [Restless(page), Restless(everything["search"]), Restless(page)]
        while not all(somebody.seen_at for somebody in restless):
            time.sleep(0.001)
        stage.withdraw("north")
        answered = time.monotonic()
        late = {name for name, look in everything.items() if not refused(look)}
        for somebody in restless:
            somebody.stop()
        assert late == set()
        assert all(max(somebody.seen_at) < answered for somebody in restless)
        stage.assign("north")
        assert {n for n, look in everything.items() if refused(look)} == set()


def test_the_studio_reads_what_was_assigned_a_moment_ago(stage: Stage) -> None:
    ivy = stage.as_("ivy").messages
    assert ivy.page(channel=stage.broadcast).messages == ()
    with pytest.raises(Refused, match=r"channel\.missing"):
        ivy.page(channel=stage.direct("west"))
    stage.assign("west")
    assert ivy.page(channel=stage.direct("west")).messages == ()


def test_who_leaves_the_studio_is_out_when_that_was_answered(
    stage: Stage, suite: Suite
) -> None:
    zoe = Part("zoe", "Zoë Hart")
    directory = suite.caller(service="directory").projects

    def put(*, active: bool) -> None:
        directory.put_person(
            id=zoe.id, name=zoe.name, email=zoe.email, roles=zoe.roles, active=active
        )

    put(active=True)
    posted = stage.post("zoe", stage.direct("north"), "the zebra crosses")
    everything = looks(stage, "zoe", posted.id)
    assert not refused(everything["a page"])
    restless = Restless(everything["a page"])
    put(active=False)
    answered = time.monotonic()
    late = {name for name, look in everything.items() if not refused(look)}
    restless.stop()
    assert late == set()
    assert max(restless.seen_at) < answered
