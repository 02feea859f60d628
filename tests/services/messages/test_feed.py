"""What search and notifications are told: contents, for mail, progress (rule 23)."""

import pytest

from clp_contracts import messages as contract
from clp_messages.use_cases import feed
from clp_suite.sample_data import LINGUIST, PORTAL, Part
from tests.services.messages.scenario import BROADCAST, NORTH, SOUTH, Stage

UNREADABLE = (False, False, False, None)


def seen(item: contract.MailItem) -> tuple[bool, bool, bool, str | None]:
    text = None if item.message is None else item.message.text
    return item.readable, item.read, item.mentioned, text


def test_contents_are_what_is_stored_now(stage: Stage) -> None:
    file = stage.upload("ivy", NORTH, "cue.pdf")
    posted = stage.post("ivy", NORTH, "@Nat Moreau look", files=(file,))
    found = stage.content(posted.id)
    assert (found.message.text, found.mentioned) == ("@Nat Moreau look", ("nat",))
    assert [a.name for a in found.message.attachments] == ["cue.pdf"]
    stage.delete("ivy", posted.id)
    gone = stage.content(posted.id)
    assert (gone.message.deleted, gone.message.text, gone.mentioned) == (True, "", ())
    assert gone.message.attachments == ()


def test_contents_of_what_is_not_there_are_absent(stage: Stage) -> None:
    posted = stage.post("ivy", NORTH, "x")
    ask = contract.AskContents(messages=("f" * 32, posted.id, "\x00", "\ud800", ""))
    (found,) = feed.contents(ask, parts=stage.parts).contents
    assert found.message.id == posted.id


def test_a_thousand_contents_cost_few_statements(stage: Stage) -> None:
    ids = tuple(stage.post("ivy", NORTH, "@Nat Moreau").id for _ in range(30))
    with stage.counted_statements() as statements:
        ask = contract.AskContents(messages=ids)
        assert len(feed.contents(ask, parts=stage.parts).contents) == 30
    assert len(statements) == 3


def test_a_mail_holds_what_its_reader_may_read_now(stage: Stage) -> None:
    first = stage.post("ivy", NORTH, "one @Nat Moreau").id
    second = stage.post("ivy", NORTH, "two").id
    stage.mark_read("nat", NORTH, 1)
    items = stage.for_mail("nat", second, first, "f" * 32)
    assert [item.id for item in items] == [second, first, "f" * 32]
    assert [seen(item) for item in items] == [
        (True, False, False, "two"),
        (True, True, True, "one @Nat Moreau"),
        UNREADABLE,
    ]


@pytest.mark.parametrize("person", ["sam", "wes", "lin", "nobody", "robot"])
def test_a_mail_to_who_may_not_read_holds_nothing(stage: Stage, person: str) -> None:
    posted = stage.post("ivy", NORTH, "secret")
    (item,) = stage.for_mail(person, posted.id)
    assert seen(item) == UNREADABLE


def test_whoever_lost_access_is_not_mailed(stage: Stage) -> None:
    in_north = stage.post("ivy", NORTH, "x").id
    in_broadcast = stage.post("ivy", BROADCAST, "y").id
    assert [i.readable for i in stage.for_mail("nat", in_north, in_broadcast)] == [
        True,
        True,
    ]
    # moved to another partner
    stage.projects.put(Part("nat", "Nat Moreau", "south"))
    assert [i.readable for i in stage.for_mail("nat", in_north, in_broadcast)] == [
        False,
        True,
    ]
    # became a linguist
    stage.projects.put(Part("nat", "Nat Moreau", "north", (PORTAL, LINGUIST)))
    assert not any(i.readable for i in stage.for_mail("nat", in_north, in_broadcast))
    # left
    stage.projects.put(Part("nat", "Nat Moreau", "north"), active=False)
    assert not any(i.readable for i in stage.for_mail("nat", in_north, in_broadcast))
    # withdrawn
    stage.projects.put(Part("nat", "Nat Moreau", "north"))
    stage.projects.withdraw("p1", "north")
    assert not any(i.readable for i in stage.for_mail("nat", in_north, in_broadcast))


def test_a_mention_taken_back_is_none(stage: Stage) -> None:
    posted = stage.post("ivy", NORTH, "@Nat Moreau")
    stage.edit("ivy", posted.id, "nobody")
    (item,) = stage.for_mail("nat", posted.id)
    assert seen(item) == (True, False, False, "nobody")


def test_what_is_deleted_while_access_is_asked_does_not_leave(stage: Stage) -> None:
    posted = stage.post("ivy", NORTH, "secret")

    def meanwhile() -> None:
        stage.projects.meanwhile = lambda: None
        stage.delete("ivy", posted.id)

    stage.projects.meanwhile = meanwhile
    (item,) = stage.for_mail("nat", posted.id)
    assert seen(item) == UNREADABLE


def test_access_is_asked_once_for_a_whole_mail(stage: Stage) -> None:
    ids = [stage.post("ivy", channel, "x").id for channel in (NORTH, SOUTH, NORTH)]
    stage.projects.asked.clear()
    stage.for_mail("nat", *ids)
    assert stage.projects.asked == {"facts": 1}


def test_progress_counts_what_waits(stage: Stage) -> None:
    stage.post("ivy", NORTH, "x")
    before = feed.progress(parts=stage.parts)
    assert (before.head, before.pending, before.due) == (0, 1, 0)
    assert [(r.reader, r.source, r.cursor) for r in before.readers] == [
        ("messages.announcements", "projects", 0)
    ]
    stage.feed()
    assert feed.progress(parts=stage.parts).head == 1
