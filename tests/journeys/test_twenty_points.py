"""Rule 7 at twenty points: from its confirmation on, a withdrawal leaves nothing over.

Somebody of a partner reads, downloads, searches and is mailed without a pause. The
partner is withdrawn at twenty moments, each a few looks later in the life of leases,
caches and due mails. What began or arrived after the confirmation
counts.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator
from http import HTTPStatus

import pytest

from clp_contracts.errors import Refused
from clp_suite.sample_data import put_cast
from clp_suite.suite import Suite
from tests.journeys.scenario import Scenario
from tests.journeys.suites import suite_of
from tests.support.waiting import until

# Twenty in the tests of the night.
POINTS = int(os.environ.get("TESTS_WITHDRAWAL_POINTS", "3"))
# Looks from one point to the next.
STRIDE = 2
# In turn, so that nobody gets more mails than an hour brings at once.
READERS = ("nat", "nia")
MAIL_WINDOW_S = 1.0
# Between two posts, so that the mails of one point are soon sent.
POST_PAUSE_S = 0.1


@pytest.fixture(
    scope="module",
    params=[
        "embedded",
        pytest.param("processes", marks=[pytest.mark.broker, pytest.mark.slow]),
    ],
)
def suite(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Suite]:
    """A suite whose mails wait for longer than a withdrawal takes."""
    folder = tmp_path_factory.mktemp(request.param)
    made = suite_of(request.param, request, folder, mail_window_s=MAIL_WINDOW_S)
    with made as running:
        put_cast(running.client(service="directory"))
        yield running


class Repeated:
    """An act repeated in a thread: when those began that succeeded."""

    def __init__(self, act: Callable[[], bool], *, pause_s: float = 0.0) -> None:
        self._act = act
        self._pause_s = pause_s
        self._stopped = threading.Event()
        self.succeeded_at: list[float] = []
        self._thread = threading.Thread(target=self._repeat)
        self._thread.start()

    def _repeat(self) -> None:
        while not self._stopped.is_set():
            begun = time.monotonic()
            if self._act():
                self.succeeded_at.append(begun)
            self._stopped.wait(self._pause_s)

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()

    def since(self, moment: float) -> bool:
        return any(begun > moment for begun in self.succeeded_at)


def looks_of(
    scenario: Scenario, who: str, attachment: str
) -> dict[str, Callable[[], bool]]:
    """The ways in which a person sees something of the project, by name."""
    north, reader = scenario.direct("north"), scenario.as_(who)
    files = scenario.suite.files(who)

    def look(see: Callable[[], object]) -> bool:
        try:
            return bool(see())
        except Refused:
            return False

    return {
        "read": lambda: look(lambda: reader.messages.page(channel=north).messages),
        "downloaded": lambda: files.download(attachment).status == HTTPStatus.OK,
        "found": lambda: look(
            lambda: reader.search.find(query="zebra", project=scenario.project).hits
        ),
    }


def mailed_to(who: str, scenario: Scenario) -> int:
    address = f"{who}@north.example".encode()
    return sum(address in raw for raw in scenario.suite.mails())


def waits_for(who: str, scenario: Scenario, message: str) -> bool:
    return any(
        person.person == who and person.state in {"due", "claimed"}
        for person in scenario.explained(message)
    )


@pytest.mark.timeout(600)
def test_nothing_is_seen_after_a_withdrawal_at_twenty_points(
    new_scenario: Callable[[], Scenario],
) -> None:
    ends: set[str] = set()
    late = [
        (point, way)
        for point in range(POINTS)
        for way in seen_after_withdrawal(new_scenario(), point, ends)
    ]
    assert late == []
    assert "no_access" in ends, "some mails were withdrawn"


def seen_after_withdrawal(scenario: Scenario, point: int, ends: set[str]) -> list[str]:
    """Withdraw north at a point, and return by what somebody saw something later.

    The reasons of the ends of mails are added to ``ends``.
    """
    who, north = READERS[point % len(READERS)], scenario.direct("north")
    attachment = scenario.suite.files("ivy").upload(
        channel=north, name="cues.csv", body=b"reel,cue\n" * 100
    )
    scenario.post("ivy", north, "the zebra crosses", attachments=[attachment])
    scenario.follow(who)
    scenario.suite.settle()
    looks = looks_of(scenario, who, attachment)

    posted: list[str] = []

    def post() -> bool:
        message = scenario.post("ivy", north, "one more take")
        posted.append(message.id)
        return True

    running = {way: Repeated(look) for way, look in looks.items()}
    for repeated in running.values():
        until(lambda one=repeated: len(one.succeeded_at) > point * STRIDE, 60)  # type: ignore[misc]
    posts = Repeated(post, pause_s=POST_PAUSE_S)
    until(lambda: len(posts.succeeded_at) > point % STRIDE, 60)
    # Those that may still wait for their mail, and all later ones.
    first = max(len(posted) - 10, 0)
    scenario.withdraw("north")
    confirmed_at, mailed = time.monotonic(), mailed_to(who, scenario)
    late = {way for way, look in looks.items() if look()}
    for repeated in (*running.values(), posts):
        repeated.stop()
    late |= {way for way, one in running.items() if one.since(confirmed_at)}
    scenario.suite.settle()
    latest = posted[first:]
    until(lambda: not any(waits_for(who, scenario, one) for one in latest), 60)
    if mailed_to(who, scenario) > mailed:
        late.add("mailed")
    ends |= {
        person.transitions[-1].reason
        for one in latest
        for person in scenario.explained(one)
        if person.person == who and person.transitions
    }
    return sorted(late)
