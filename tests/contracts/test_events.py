"""The details of events are those of the contract, and hold no text of a person."""

from collections.abc import Iterator

import pytest

from clp_contracts.events import DETAIL_FIELDS, OF_MESSAGES, OF_PROJECTS
from clp_contracts.feed import Change
from clp_suite import EmbeddedSuite
from clp_suite.sample_data import put_cast

TEXT = "Nobody reads this in an event"
TRACE = {"traceparent", "tracestate"}


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Change]]:
    """The changes of both feeds after each kind of change was made."""
    with EmbeddedSuite(tmp_path_factory.mktemp("events")) as suite:
        admin = suite.client(service="directory").projects
        put_cast(suite.client(service="directory"))
        admin.put_project(id="p1", title=TEXT)
        admin.assign_partner(project="p1", partner="north", languages=["fr"])
        nat, ivy = suite.client("nat"), suite.client("ivy")
        nat.projects.follow(project="p1")
        nat.projects.unfollow(project="p1")
        posted = ivy.messages.post(channel="p1/broadcast", text=TEXT, key="k")
        ivy.messages.edit(message=posted.id, text=f"{TEXT}!")
        ivy.messages.delete(message=posted.id)
        suite.client(service="directory").projects.announce(
            project="p1",
            key="k",
            kind="qc_status_changed",
            facts={"status": "passed"},
        )
        admin.withdraw_partner(project="p1", partner="north")
        suite.settle()
        yield [
            *suite.client(service="messages").projects.changes(limit=500).changes,
            *suite.client(service="search").messages.changes(limit=500).changes,
        ]


def test_every_event_says_what_the_contract_lists(published: list[Change]) -> None:
    said = {(one.type, tuple(sorted({*one.detail} - TRACE))) for one in published}

    listed = {(one, DETAIL_FIELDS[one]) for one in (*OF_PROJECTS, *OF_MESSAGES)}
    assert said == listed


def test_no_event_holds_a_text_of_a_person(published: list[Change]) -> None:
    assert not any(TEXT in repr(change) for change in published)
