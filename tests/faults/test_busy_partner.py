"""F15: one partner posts without a pause and delays no other."""

import time
from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path

import eventlet
import pytest

from clp_suite import EmbeddedSuite
from clp_suite.sample_data import PORTAL
from clp_suite.suite import Suite
from tests.faults.fault_run import until
from tests.faults.sink import more_than_shown, recipient_and_words

WINDOW_S = 1.0
# Fewer windows than a person gets mails about a project in an hour.
LOAD_S = 4.0
QUIET = 4
BUSY = "busy"


@pytest.fixture
def suite(tmp_path: Path) -> Iterator[Suite]:
    """A busy partner and quiet ones, each with a follower of its own in the studio."""
    with EmbeddedSuite(tmp_path / "data", mail_window_s=WINDOW_S) as running:
        directory = running.client(service="directory").projects
        directory.put_project(id="p1", title="Night Train")
        for partner in (BUSY, *(f"quiet{n}" for n in range(QUIET))):
            directory.put_partner(id=partner, name=partner.title())
            directory.assign_partner(project="p1", partner=partner, languages=["fr"])
            _put(running, f"at-{partner}", partner=partner)
        _put(running, "ivy", partner=None)
        running.client("ivy").projects.follow(project="p1")
        yield running


def _put(suite: Suite, person: str, *, partner: str | None) -> None:
    suite.client(service="directory").projects.put_person(
        id=person,
        name=person.title(),
        email=f"{person}@{partner or 'studio'}.example",
        partner=partner,
        internal=partner is None,
        roles=[PORTAL],
    )


def _post(suite: Suite, partner: str, word: str) -> None:
    suite.client(f"at-{partner}").messages.post(
        channel=f"p1/direct/{partner}", text=f"{word} is ready", key=word
    )


def test_a_busy_partner_delays_no_other(suite: Suite) -> None:
    """Its messages become few mails; those of others leave in between."""
    posted: list[str] = []
    deadline = time.monotonic() + LOAD_S

    def injector() -> None:
        while time.monotonic() < deadline:
            word = f"w01c00n{len(posted):06d}"
            _post(suite, BUSY, word)
            posted.append(word)

    raging = eventlet.spawn(injector)
    quiet = [f"w02c{number:02d}n000000" for number in range(QUIET)]
    for number, word in enumerate(quiet):
        _post(suite, f"quiet{number}", word)
    until(
        lambda: set(quiet) <= set(_words_mailed(suite)),
        60,
        "mails of the quiet partners",
    )
    raging.wait()
    every = len(posted) + len(quiet)
    until(
        lambda: len(_words_mailed(suite)) + _more(suite) >= every,
        60,
        "the busy one's mails",
    )

    told = _words_mailed(suite)
    assert len(told) + _more(suite) == every, "everything is told once"
    assert len(told) == len(set(told)), "nothing is told twice"
    assert set(quiet) <= set(told) <= {*quiet, *posted}
    assert len(suite.mails()) <= QUIET + LOAD_S / WINDOW_S + 2, (
        "many messages are few mails"
    )


def _words_mailed(suite: Suite) -> list[str]:
    return [word for mail in suite.mails() for word in recipient_and_words(mail)[2]]


def _more(suite: Suite) -> int:
    """Return how many messages the mails count without showing them."""
    return sum(more_than_shown(message_from_bytes(mail)) for mail in suite.mails())
