"""Editing and deleting: who, what stays, and what is told (rules 12 and 13)."""

import pytest

from tests.services.messages.scenario import BROADCAST, NORTH, SOUTH, Stage, refusal

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
def test_who_may_change_what(
    stage: Stage, person: str, author: str, edit: str, delete: str
) -> None:
    posted = stage.post(author, NORTH, "before")
    if edit:
        assert refusal(lambda: stage.edit(person, posted.id, "after")) == edit
        assert stage.texts("ivy", NORTH) == ["before"]
    else:
        assert stage.edit(person, posted.id, "after").revision == 2
        assert stage.texts("ivy", NORTH) == ["after"]
    if delete:
        assert refusal(lambda: stage.delete(person, posted.id)) == delete
    else:
        stage.delete(person, posted.id)
        assert stage.texts("ivy", NORTH) == [""]


@pytest.mark.parametrize("id", ["f" * 32, "", "x", "' or 1=1", "a\x00b", "\ud800"])
def test_a_message_that_is_not_there_is_missing(stage: Stage, id: str) -> None:
    assert refusal(lambda: stage.edit("ivy", id, "x")) == MISSING
    assert refusal(lambda: stage.delete("ivy", id)) == MISSING


def test_a_missing_message_takes_the_path_of_a_hidden_one(stage: Stage) -> None:
    hidden = stage.post("sam", SOUTH, "secret").id
    counts = []
    for message in (hidden, "f" * 32):
        stage.projects.asked.clear()
        refusal(lambda m=message: stage.delete("nat", m))  # type: ignore[misc]
        counts.append(dict(stage.projects.asked))
    assert counts[0] == counts[1] == {"facts": 1}


def test_an_edit_keeps_the_earlier_text_for_audit_only(stage: Stage) -> None:
    posted = stage.post("nat", NORTH, "first")
    stage.wait(minutes=1)
    stage.edit("nat", posted.id, "second")
    stage.wait(minutes=1)
    stage.edit("nat", posted.id, "third")
    (shown,) = stage.page("ivy", NORTH).messages
    assert (shown.text, shown.revision, shown.edited_at) == ("third", 3, stage.time)
    assert (shown.number, shown.posted_at) == (1, posted.posted_at)
    kept = [(1, "first", "nat"), (2, "second", "nat")]
    assert stage.earlier_texts("ian", posted.id) == kept
    stage.delete("ivy", posted.id)
    assert stage.earlier_texts("ian", posted.id) == [*kept, (3, "third", "ivy")]


@pytest.mark.parametrize("person", ["nat", "nia", "sam", "wes", "lin", "nobody"])
def test_earlier_texts_are_not_there_for_anybody_else(
    stage: Stage, person: str
) -> None:
    posted = stage.post("nat", NORTH, "first")
    stage.edit("nat", posted.id, "second")
    for message in (posted.id, "f" * 32):
        assert refusal(lambda m=message: stage.earlier_texts(person, m)) == MISSING  # type: ignore[misc]


def test_what_never_changed_has_no_earlier_texts(stage: Stage) -> None:
    assert stage.earlier_texts("ivy", stage.post("nat", NORTH, "first").id) == []


def test_a_deleted_message_leaves_its_place_and_nothing_else(stage: Stage) -> None:
    file = stage.upload("nat", NORTH)
    posted = stage.post("nat", NORTH, "see @Ivy Lane", files=(file,))
    stage.post("nat", NORTH, "next")
    stage.delete("ivy", posted.id)
    tombstone, following = stage.page("nat", NORTH).messages
    assert (tombstone.id, tombstone.number, tombstone.deleted) == (posted.id, 1, True)
    assert (tombstone.text, tombstone.attachments) == ("", ())
    assert tombstone.author.id == "nat"
    assert following.number == 2
    assert stage.content(posted.id).mentioned == ()
    assert refusal(lambda: stage.download("nat", file)) == "attachment.missing"
    assert stage.earlier_texts("ivy", posted.id) == [(1, "see @Ivy Lane", "ivy")]


def test_what_was_deleted_cannot_be_changed_any_more(stage: Stage) -> None:
    posted = stage.post("nat", NORTH, "hello")
    stage.delete("nat", posted.id)
    assert refusal(lambda: stage.edit("nat", posted.id, "x")) == "message.deleted"
    assert refusal(lambda: stage.delete("nat", posted.id)) == "message.deleted"
    assert len(stage.feed()) == 2


def test_an_edit_is_judged_like_a_post(stage: Stage) -> None:
    posted = stage.post("nat", NORTH, "hello")
    assert refusal(lambda: stage.edit("nat", posted.id, " ")) == "text.empty"
    assert (
        refusal(lambda: stage.edit("nat", posted.id, "x" * 10_001)) == "text.too_long"
    )
    assert refusal(lambda: stage.edit("nat", posted.id, "a\x00")) == "text.malformed"
    assert stage.texts("nat", NORTH) == ["hello"]


def test_a_message_with_a_file_may_be_edited_to_no_text(stage: Stage) -> None:
    file = stage.upload("nat", NORTH)
    posted = stage.post("nat", NORTH, "see", files=(file,))
    stage.edit("nat", posted.id, "")
    (shown,) = stage.page("nat", NORTH).messages
    assert (shown.text, [f.id for f in shown.attachments]) == ("", [file])


def test_an_edit_reads_the_mentions_afresh(stage: Stage) -> None:
    posted = stage.post("ivy", NORTH, "@Nat Moreau please")
    assert stage.content(posted.id).mentioned == ("nat",)
    edited = stage.edit("ivy", posted.id, "@Nia Roux and @Ian Moss please")
    assert [m.person for m in edited.mentions] == ["nia", "ian"]
    assert stage.content(posted.id).mentioned == ("ian", "nia")
    stage.edit("ivy", posted.id, "nobody please")
    assert stage.content(posted.id).mentioned == ()


def test_an_edit_that_changes_nothing_tells_nobody(stage: Stage) -> None:
    posted = stage.post("ivy", NORTH, "@Nat Moreau please")
    again = stage.edit("ivy", posted.id, "@Nat Moreau please")
    assert again.revision == 1
    assert again.mentions == posted.mentions
    assert len(stage.feed()) == 1


def test_the_same_text_is_an_edit_when_it_means_somebody_else_now(
    stage: Stage,
) -> None:
    del stage.projects.people["nat"]
    posted = stage.post("ivy", NORTH, "@Nat Moreau please")
    assert [m.outcome for m in posted.mentions] == ["unknown"]
    stage.projects.__init__()  # type: ignore[misc]
    stage.projects.put_project("p1", ["north", "south"])
    assert stage.edit("ivy", posted.id, "@Nat Moreau please").revision == 2
    assert stage.content(posted.id).mentioned == ("nat",)


def test_an_author_who_lost_access_may_not_edit(stage: Stage) -> None:
    posted = stage.post("nat", NORTH, "hello")
    stage.projects.withdraw("p1", "north")
    assert refusal(lambda: stage.edit("nat", posted.id, "x")) == MISSING
    assert refusal(lambda: stage.delete("nat", posted.id)) == MISSING


def test_a_message_deleted_meanwhile_is_not_edited(stage: Stage) -> None:
    posted = stage.post("nat", NORTH, "hello")

    def meanwhile() -> None:
        stage.projects.meanwhile = lambda: None
        stage.delete("ivy", posted.id)

    stage.projects.meanwhile = meanwhile
    assert refusal(lambda: stage.edit("nat", posted.id, "x")) == "message.deleted"
    (shown,) = stage.page("ivy", NORTH).messages
    assert (shown.deleted, shown.text) == (True, "")


def test_each_change_is_in_the_feed_with_ids_only(stage: Stage) -> None:
    posted = stage.post("nat", NORTH, "planted")
    stage.edit("nat", posted.id, "planted too")
    stage.delete("ivy", posted.id)
    changes = stage.feed()
    assert [(c.position, c.type) for c in changes] == [
        (1, "clp.messages.message_posted.v1"),
        (2, "clp.messages.message_edited.v1"),
        (3, "clp.messages.message_deleted.v1"),
    ]
    assert {c.subject for c in changes} == {posted.id}
    assert [c.detail["revision"] for c in changes] == ["1", "2", "3"]
    assert {c.detail["author"] for c in changes} == {"nat"}
    assert "planted" not in str(changes)


def test_a_broadcast_is_deleted_by_the_studio_and_nobody_else(stage: Stage) -> None:
    posted = stage.post("robot", BROADCAST, "moved")
    assert refusal(lambda: stage.delete("nat", posted.id)) == NOT_YOURS
    stage.delete("ian", posted.id)
    assert stage.texts("nat", BROADCAST) == [""]
