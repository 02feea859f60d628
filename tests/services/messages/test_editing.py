"""Editing and deleting: permissions, revisions, tombstones (rules 12 and 13)."""

from typing import Any

import pytest

from clp_core.messages import may_edit
from clp_messages.use_cases import editing
from tests.services.messages.scenario import BROADCAST, NORTH, SOUTH, Scenario, refusal

MISSING = "message.missing"
NOT_YOURS = "message.not_yours"

# who    | whose message in north's channel | edit      | delete
TABLE = [
    ("nat", "nat", "", ""),
    ("nia", "nat", NOT_YOURS, NOT_YOURS),
    ("ivy", "nat", NOT_YOURS, ""),
    ("nat", "ivy", NOT_YOURS, NOT_YOURS),
    ("ian", "ivy", NOT_YOURS, ""),
    ("sam", "nat", MISSING, MISSING),
    ("wes", "nat", MISSING, MISSING),
    ("lin", "nat", MISSING, MISSING),
    ("nobody", "nat", MISSING, MISSING),
]


@pytest.mark.parametrize(("person", "author", "edit", "delete"), TABLE)
def test_only_the_author_edits_and_internal_people_delete_any(
    scenario: Scenario, person: str, author: str, edit: str, delete: str
) -> None:
    posted = scenario.post(author, NORTH, "before")
    if edit:
        assert refusal(lambda: scenario.edit(person, posted.id, "after")) == edit
        assert scenario.texts("ivy", NORTH) == ["before"]
    else:
        assert scenario.edit(person, posted.id, "after").revision == 2
        assert scenario.texts("ivy", NORTH) == ["after"]
    if delete:
        assert refusal(lambda: scenario.delete(person, posted.id)) == delete
    else:
        scenario.delete(person, posted.id)
        assert scenario.texts("ivy", NORTH) == [""]


@pytest.mark.parametrize("id", ["f" * 32, "", "x", "' or 1=1", "a\x00b", "\ud800"])
def test_a_message_that_is_not_there_is_missing(scenario: Scenario, id: str) -> None:
    assert refusal(lambda: scenario.edit("ivy", id, "x")) == MISSING
    assert refusal(lambda: scenario.delete("ivy", id)) == MISSING


def test_t33_a_missing_message_costs_the_same_as_a_hidden_one(
    scenario: Scenario,
) -> None:
    hidden = scenario.post("sam", SOUTH, "secret").id
    counts = []
    for message in (hidden, "f" * 32):
        scenario.projects.calls.clear()
        scenario.projects.projects_asked_about = 0
        with scenario.counted_statements() as statements:
            refusal(lambda m=message: scenario.delete("nat", m))  # type: ignore[misc]
        about = scenario.projects.projects_asked_about
        counts.append((dict(scenario.projects.calls), about, len(statements)))
    assert counts[0] == counts[1]
    assert counts[0][:2] == ({"facts": 1}, 1)


def test_t33_a_missing_message_is_judged_like_a_hidden_one(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden = scenario.post("sam", SOUTH, "secret").id
    judged: list[Any] = []

    def noted(actor: Any, message: Any, project: Any) -> Any:
        judged.append(message)
        return may_edit(actor, message, project)

    monkeypatch.setattr(editing, "may_edit", noted)
    counts = []
    for message in (hidden, "f" * 32):
        judged.clear()
        assert refusal(lambda m=message: scenario.edit("nat", m, "x")) == MISSING  # type: ignore[misc]
        counts.append(len(judged))
    assert counts[0] == counts[1] > 0


def test_t33_of_a_hidden_message_no_text_is_read(scenario: Scenario) -> None:
    hidden = scenario.post("sam", SOUTH, "secret").id
    with scenario.counted_statements() as statements:
        assert refusal(lambda: scenario.edit("nat", hidden, "x")) == MISSING
    assert statements
    assert not [one for one in statements if "messages.text" in str(one)]


def test_an_edit_keeps_the_earlier_text_for_audit_only(scenario: Scenario) -> None:
    posted = scenario.post("nat", NORTH, "first")
    scenario.wait(minutes=1)
    scenario.edit("nat", posted.id, "second")
    scenario.wait(minutes=1)
    scenario.edit("nat", posted.id, "third")
    (shown,) = scenario.page("ivy", NORTH).messages
    assert (shown.text, shown.revision, shown.edited_at) == ("third", 3, scenario.time)
    assert (shown.number, shown.posted_at) == (1, posted.posted_at)
    kept = [(1, "first", "nat"), (2, "second", "nat")]
    assert scenario.revisions("ian", posted.id) == kept
    scenario.delete("ivy", posted.id)
    assert scenario.revisions("ian", posted.id) == [*kept, (3, "third", "ivy")]


@pytest.mark.parametrize("person", ["nat", "nia", "sam", "wes", "lin", "nobody"])
def test_only_internal_people_read_revisions(scenario: Scenario, person: str) -> None:
    posted = scenario.post("nat", NORTH, "first")
    scenario.edit("nat", posted.id, "second")
    for message in (posted.id, "f" * 32):
        assert refusal(lambda m=message: scenario.revisions(person, m)) == MISSING  # type: ignore[misc]


def test_an_unchanged_message_has_no_revisions(scenario: Scenario) -> None:
    assert scenario.revisions("ivy", scenario.post("nat", NORTH, "first").id) == []


def test_a_deleted_message_leaves_its_place_and_nothing_else(
    scenario: Scenario,
) -> None:
    file = scenario.upload("nat", NORTH)
    posted = scenario.post("nat", NORTH, "see @Ivy Lane", files=(file,))
    scenario.post("nat", NORTH, "next")
    scenario.delete("ivy", posted.id)
    tombstone, following = scenario.page("nat", NORTH).messages
    assert (tombstone.id, tombstone.number, tombstone.deleted) == (posted.id, 1, True)
    assert (tombstone.text, tombstone.attachments) == ("", ())
    assert tombstone.author.id == "nat"
    assert following.number == 2
    assert scenario.content(posted.id).mentioned == ()
    assert refusal(lambda: scenario.download("nat", file)) == "attachment.missing"
    assert scenario.revisions("ivy", posted.id) == [(1, "see @Ivy Lane", "ivy")]


def test_a_deleted_message_cannot_be_changed(scenario: Scenario) -> None:
    posted = scenario.post("nat", NORTH, "hello")
    scenario.delete("nat", posted.id)
    assert refusal(lambda: scenario.edit("nat", posted.id, "x")) == "message.deleted"
    assert refusal(lambda: scenario.delete("nat", posted.id)) == "message.deleted"
    assert len(scenario.feed()) == 2


def test_an_edit_is_judged_like_a_post(scenario: Scenario) -> None:
    posted = scenario.post("nat", NORTH, "hello")
    assert refusal(lambda: scenario.edit("nat", posted.id, " ")) == "text.empty"
    assert (
        refusal(lambda: scenario.edit("nat", posted.id, "x" * 10_001))
        == "text.too_long"
    )
    assert refusal(lambda: scenario.edit("nat", posted.id, "a\x00")) == "text.malformed"
    assert scenario.texts("nat", NORTH) == ["hello"]


def test_a_message_with_a_file_may_be_edited_to_no_text(scenario: Scenario) -> None:
    file = scenario.upload("nat", NORTH)
    posted = scenario.post("nat", NORTH, "see", files=(file,))
    scenario.edit("nat", posted.id, "")
    (shown,) = scenario.page("nat", NORTH).messages
    assert (shown.text, [f.id for f in shown.attachments]) == ("", [file])


def test_an_edit_reads_the_mentions_afresh(scenario: Scenario) -> None:
    posted = scenario.post("ivy", NORTH, "@Nat Moreau please")
    assert scenario.content(posted.id).mentioned == ("nat",)
    edited = scenario.edit("ivy", posted.id, "@Nia Roux and @Ian Moss please")
    assert [m.person for m in edited.mentions] == ["nia", "ian"]
    assert scenario.content(posted.id).mentioned == ("ian", "nia")
    scenario.edit("ivy", posted.id, "nobody please")
    assert scenario.content(posted.id).mentioned == ()


def test_an_edit_that_changes_nothing_announces_nothing(scenario: Scenario) -> None:
    posted = scenario.post("ivy", NORTH, "@Nat Moreau please")
    again = scenario.edit("ivy", posted.id, "@Nat Moreau please")
    assert again.revision == 1
    assert again.mentions == posted.mentions
    assert len(scenario.feed()) == 1


def test_the_same_text_is_an_edit_when_it_means_somebody_else_now(
    scenario: Scenario,
) -> None:
    del scenario.projects.people["nat"]
    posted = scenario.post("ivy", NORTH, "@Nat Moreau please")
    assert [m.outcome for m in posted.mentions] == ["unknown"]
    scenario.projects.__init__()  # type: ignore[misc]
    scenario.projects.put_project("p1", ["north", "south"])
    assert scenario.edit("ivy", posted.id, "@Nat Moreau please").revision == 2
    assert scenario.content(posted.id).mentioned == ("nat",)


def test_an_author_who_lost_access_may_not_edit(scenario: Scenario) -> None:
    posted = scenario.post("nat", NORTH, "hello")
    scenario.projects.withdraw("p1", "north")
    assert refusal(lambda: scenario.edit("nat", posted.id, "x")) == MISSING
    assert refusal(lambda: scenario.delete("nat", posted.id)) == MISSING


def test_a_message_deleted_meanwhile_is_not_edited(scenario: Scenario) -> None:
    posted = scenario.post("nat", NORTH, "hello")

    def during_call() -> None:
        scenario.projects.during_call = lambda: None
        scenario.delete("ivy", posted.id)

    scenario.projects.during_call = during_call
    scenario.forget_leases()
    assert refusal(lambda: scenario.edit("nat", posted.id, "x")) == "message.deleted"
    (shown,) = scenario.page("ivy", NORTH).messages
    assert (shown.deleted, shown.text) == (True, "")


def test_each_change_is_in_the_feed_with_ids_only(scenario: Scenario) -> None:
    posted = scenario.post("nat", NORTH, "planted")
    scenario.edit("nat", posted.id, "planted too")
    scenario.delete("ivy", posted.id)
    changes = scenario.feed()
    assert [(c.position, c.type) for c in changes] == [
        (1, "clp.messages.message_posted.v1"),
        (2, "clp.messages.message_edited.v1"),
        (3, "clp.messages.message_deleted.v1"),
    ]
    assert {c.subject for c in changes} == {posted.id}
    assert [c.detail["revision"] for c in changes] == ["1", "2", "3"]
    assert {c.detail["author"] for c in changes} == {"nat"}
    assert "planted" not in str(changes)


def test_a_broadcast_is_deleted_by_the_studio_and_nobody_else(
    scenario: Scenario,
) -> None:
    posted = scenario.announce()
    assert refusal(lambda: scenario.delete("nat", posted.id)) == NOT_YOURS
    scenario.delete("ian", posted.id)
    assert scenario.texts("nat", BROADCAST) == [""]


def test_an_edit_of_another_revision_is_refused(scenario: Scenario) -> None:
    posted = scenario.post("nat", NORTH, "one")
    assert scenario.edit("nat", posted.id, "two", revision=1).revision == 2
    before = scenario.feed()
    for stale in (1, 3):
        assert (
            refusal(lambda r=stale: scenario.edit("nat", posted.id, "x", revision=r))
            == "message.changed"
        )
    assert scenario.texts("ivy", NORTH) == ["two"]
    assert scenario.feed() == before
    assert scenario.edit("nat", posted.id, "three", revision=2).revision == 3


def test_only_the_author_learns_that_a_revision_is_stale(scenario: Scenario) -> None:
    posted = scenario.post("nat", NORTH, "one")
    for person, code in (("sam", "message.missing"), ("nia", "message.not_yours")):
        assert (
            refusal(lambda p=person: scenario.edit(p, posted.id, "x", revision=9))
            == code
        )
