"""Reads for search and notifications: messages, mail content, progress (rule 23)."""

from typing import Any

import pytest

from clp_contracts import messages as contract
from clp_contracts.messages import MessageChanges, ReadMessageChanges
from clp_messages.use_cases import feed
from clp_messages.use_cases.feed import MAX_LENGTH
from clp_suite.sample_data import LINGUIST, PORTAL, CastMember
from tests.services.messages.scenario import BROADCAST, NORTH, SOUTH, Scenario

UNREADABLE = (False, False, False, None)


def test_messages_are_read_as_stored_now(scenario: Scenario) -> None:
    file = scenario.upload("ivy", NORTH, "cue.pdf")
    posted = scenario.post("ivy", NORTH, "@Nat Moreau look", files=(file,))
    stored = scenario.content(posted.id)
    assert (stored.message.text, stored.mentioned) == ("@Nat Moreau look", ("nat",))
    assert [a.name for a in stored.message.attachments] == ["cue.pdf"]
    scenario.delete("ivy", posted.id)
    gone = scenario.content(posted.id)
    assert (gone.message.deleted, gone.message.text, gone.mentioned) == (True, "", ())
    assert gone.message.attachments == ()


def test_the_history_holds_the_mentions_of_each_revision(scenario: Scenario) -> None:
    posted = scenario.post("ivy", NORTH, "@Nat Moreau look")
    assert revisions_of(scenario, posted.id) == [(1, ("nat",))]
    scenario.edit("ivy", posted.id, "@Nat Moreau and @Ian Moss look")
    scenario.edit("ivy", posted.id, "nobody")
    scenario.projects.rename("nat", "Nathalie Roux")
    scenario.delete("ian", posted.id)
    assert revisions_of(scenario, posted.id) == [
        (1, ("nat",)),
        (2, ("ian", "nat")),
        (3, ()),
        (4, ()),
    ]


def test_the_side_of_the_author_is_that_at_posting(scenario: Scenario) -> None:
    posted = scenario.post("nat", NORTH, "hello")
    scenario.projects.put(CastMember("nat", "Nat Moreau"))
    assert scenario.content(posted.id).message.author.side == "external"


def revisions_of(scenario: Scenario, message: str) -> list[tuple[int, tuple[str, ...]]]:
    history = scenario.content(message).history
    return [(one.revision, one.mentioned) for one in history]


def test_missing_messages_are_absent(scenario: Scenario) -> None:
    posted = scenario.post("ivy", NORTH, "x")
    request = contract.GetMessages(
        message_ids=("f" * 32, posted.id, "\x00", "\ud800", "")
    )
    (stored,) = feed.get_messages(request, deps=scenario.deps).messages
    assert stored.message.id == posted.id


def test_t33_where_a_message_is_costs_the_same_however_much_it_holds(
    scenario: Scenario,
) -> None:
    posted = scenario.post("ivy", NORTH, "x")
    scenario.edit("ivy", posted.id, "@Nat Moreau x")
    channel = contract.MessageChannel(channel=NORTH, author="ivy")
    for message, found in ((posted.id, channel), ("f" * 32, contract.MessageChannel())):
        request = contract.MessageRef(message=message)
        with scenario.counted_statements() as statements:
            assert feed.message_channel(request, deps=scenario.deps) == found
        assert len(statements) == 1


def test_many_messages_cost_one_statement(scenario: Scenario) -> None:
    ids = tuple(scenario.post("ivy", NORTH, "@Nat Moreau").id for _ in range(30))
    with scenario.counted_statements() as statements:
        request = contract.GetMessages(message_ids=ids)
        assert len(feed.get_messages(request, deps=scenario.deps).messages) == 30
    assert len(statements) == 1


def test_a_mail_holds_what_its_reader_may_read_now(scenario: Scenario) -> None:
    first = scenario.post("ivy", NORTH, "one @Nat Moreau").id
    second = scenario.post("ivy", NORTH, "two").id
    scenario.mark_read("nat", NORTH, 1)
    items = scenario.mail_items("nat", second, first, "f" * 32)
    assert items == [
        (True, False, False, "two"),
        (True, True, True, "one @Nat Moreau"),
        UNREADABLE,
    ]


@pytest.mark.parametrize("person", ["sam", "wes", "lin", "nobody", "robot"])
def test_a_person_who_may_not_read_gets_nothing_by_mail(
    scenario: Scenario, person: str
) -> None:
    posted = scenario.post("ivy", NORTH, "secret")
    (item,) = scenario.mail_items(person, posted.id)
    assert item == UNREADABLE


def test_a_person_who_lost_access_is_not_mailed(scenario: Scenario) -> None:
    in_north = scenario.post("ivy", NORTH, "x").id
    in_broadcast = scenario.post("ivy", BROADCAST, "y").id
    assert [i.readable for i in scenario.mail_items("nat", in_north, in_broadcast)] == [
        True,
        True,
    ]
    # moved to another partner
    scenario.projects.put(CastMember("nat", "Nat Moreau", "south"))
    assert [i.readable for i in scenario.mail_items("nat", in_north, in_broadcast)] == [
        False,
        True,
    ]
    # became a linguist
    scenario.projects.put(CastMember("nat", "Nat Moreau", "north", (PORTAL, LINGUIST)))
    assert not any(
        i.readable for i in scenario.mail_items("nat", in_north, in_broadcast)
    )
    # left
    scenario.projects.put(CastMember("nat", "Nat Moreau", "north"), active=False)
    assert not any(
        i.readable for i in scenario.mail_items("nat", in_north, in_broadcast)
    )
    # withdrawn
    scenario.projects.put(CastMember("nat", "Nat Moreau", "north"))
    scenario.projects.withdraw("p1", "north")
    assert not any(
        i.readable for i in scenario.mail_items("nat", in_north, in_broadcast)
    )


def test_a_mention_taken_back_is_none(scenario: Scenario) -> None:
    posted = scenario.post("ivy", NORTH, "@Nat Moreau")
    scenario.edit("ivy", posted.id, "nobody")
    (item,) = scenario.mail_items("nat", posted.id)
    assert item == (True, False, False, "nobody")


def test_a_message_deleted_during_the_access_check_is_not_mailed(
    scenario: Scenario,
) -> None:
    posted = scenario.post("ivy", NORTH, "secret")

    def during_call() -> None:
        scenario.projects.during_call = lambda: None
        scenario.delete("ivy", posted.id)

    scenario.projects.during_call = during_call
    (item,) = scenario.mail_items("nat", posted.id)
    assert item == UNREADABLE


def test_one_call_checks_access_for_a_whole_mail(scenario: Scenario) -> None:
    ids = [scenario.post("ivy", channel, "x").id for channel in (NORTH, SOUTH, NORTH)]
    scenario.projects.calls.clear()
    scenario.mail_items("nat", *ids)
    assert scenario.projects.calls == {"facts": 1}


def test_progress_counts_pending_changes(scenario: Scenario) -> None:
    scenario.post("ivy", NORTH, "x")
    before = feed.progress(deps=scenario.deps)
    assert (before.head, before.pending, before.due) == (0, 1, 0)
    assert [(r.reader, r.source, r.cursor) for r in before.readers] == [
        ("messages.announcements", "projects", 0)
    ]
    scenario.feed()
    assert feed.progress(deps=scenario.deps).head == 1


def read(scenario: Scenario, **request: Any) -> MessageChanges:
    scenario.feed()
    return feed.changes(ReadMessageChanges(**request), deps=scenario.deps)


def test_changes_come_with_the_messages_as_they_are_now(scenario: Scenario) -> None:
    posted = scenario.post("ivy", NORTH, "first words")
    other = scenario.post("nat", NORTH, "other words")
    scenario.edit("ivy", posted.id, "second words")
    batch = read(scenario, contents=True)
    assert [one.subject for one in batch.changes] == [posted.id, other.id, posted.id]
    texts = {one.message.id: one.message.text for one in batch.messages}
    assert texts == {posted.id: "second words", other.id: "other words"}
    assert read(scenario).messages == ()
    assert read(scenario, after=2, contents=True).messages[0].message.id == posted.id


def test_a_batch_ends_before_it_holds_too_much_text(scenario: Scenario) -> None:
    text = "a" * 10_000
    for _ in range(MAX_LENGTH // len(text) + 2):
        scenario.post("ivy", NORTH, text)
    batch = read(scenario, contents=True)
    assert len(batch.changes) == len(batch.messages) == MAX_LENGTH // len(text)
    rest = read(scenario, contents=True, after=batch.changes[-1].position)
    assert (len(rest.changes), rest.head) == (2, batch.head)
