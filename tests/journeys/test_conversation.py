"""What a conversation promises: retry keys, order, edits, unread numbers, search."""

import pytest

from clp_contracts.errors import Refused
from tests.journeys.scenario import Stage


def test_a_replayed_post_is_the_same_message(stage: Stage) -> None:
    ivy = stage.as_("ivy").messages
    posted = ivy.post(channel=stage.broadcast, text="Hello @Nat Moreau", key="k")
    again = ivy.post(channel=stage.broadcast, text="Hello @Nat Moreau", key="k")
    assert again == posted
    with pytest.raises(Refused, match=r"retry_key\.reused"):
        ivy.post(channel=stage.broadcast, text="something else", key="k")
    assert len(ivy.page(channel=stage.broadcast).messages) == 1


def test_messages_are_numbered_without_gaps_whatever_others_do(stage: Stage) -> None:
    numbers = []
    for _ in range(5):
        stage.post("ivy", stage.direct("south"), "next door")
        numbers.append(stage.post("nat", stage.direct("north"), "here").number)
    assert numbers == [1, 2, 3, 4, 5]


def test_mention_outcomes_come_back_with_their_spans(stage: Stage) -> None:
    text = "@Nat Moreau @Sam Duarte @nia@north.example @Ivy Lane @Nat Moreau"
    posted = stage.post("ivy", stage.direct("north"), text)
    told = [(text[m.start : m.end], m.outcome, m.person) for m in posted.mentions]
    assert told == [
        ("@Nat Moreau", "mentioned", "nat"),
        ("@Sam", "unknown", None),
        ("@nia@north.example", "mentioned", "nia"),
        ("@Ivy Lane", "self", "ivy"),
        ("@Nat Moreau", "duplicate", "nat"),
    ]


def test_unread_counts_what_others_wrote_and_leads_to_the_first(stage: Stage) -> None:
    for text in ("one", "two", "three"):
        stage.post("ivy", stage.direct("north"), text)
    stage.post("nat", stage.direct("north"), "my own")
    nat = stage.as_("nat").messages
    (project,) = nat.unread(projects=[stage.project]).projects
    direct = next(c for c in project.channels if c.channel == stage.direct("north"))
    assert (project.unread, direct.unread, direct.first) == (3, 3, 1)
    nat.mark_read(channel=stage.direct("north"), number=2)
    nat.mark_read(channel=stage.direct("north"), number=1)
    (project,) = nat.unread(projects=[stage.project]).projects
    direct = next(c for c in project.channels if c.channel == stage.direct("north"))
    assert (direct.unread, direct.first, direct.marker) == (1, 3, 2)


def test_an_edit_is_found_by_its_new_words_and_a_deleted_message_never(
    stage: Stage,
) -> None:
    posted = stage.post("nat", stage.direct("north"), "the okapi sleeps")
    nat = stage.as_("nat")

    def found(query: str) -> int:
        stage.suite.settle()
        return nat.search.find(query=query, channel=stage.direct("north")).total

    assert (found("okapi"), found("tapir")) == (1, 0)
    nat.messages.edit(message=posted.id, text="the tapir sleeps")
    assert (found("okapi"), found("tapir")) == (0, 1)
    nat.messages.delete(message=posted.id)
    assert (found("okapi"), found("tapir")) == (0, 0)
    (tombstone,) = nat.messages.page(channel=stage.direct("north")).messages
    assert (tombstone.deleted, tombstone.text) == (True, "")


def test_a_japanese_word_is_found_without_setup(stage: Stage) -> None:
    posted = stage.post("nat", stage.direct("north"), "字幕は明日できます。")
    stage.suite.settle()
    (hit,) = stage.as_("ivy").search.find(query="明日", project=stage.project).hits
    (marked,) = hit.snippet.highlights
    assert hit.message == posted.id
    assert hit.snippet.text[marked.start : marked.end] == "明日"


def test_an_attachment_is_for_those_who_may_read_the_message(stage: Stage) -> None:
    body = b"scene,cue\n1,whistle\n"
    file = stage.suite.files("ivy").upload(
        channel=stage.direct("north"), name="cue sheet.csv", body=body
    )
    stage.post("ivy", stage.direct("north"), "", attachments=[file])
    got = stage.suite.files("nat").download(file)
    assert (got.status, got.body) == (200, body)
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert got.headers["Content-Disposition"].startswith("attachment;")
    missing = stage.suite.files("sam").download("0" * 32)
    hidden = stage.suite.files("sam").download(file)
    assert (hidden.status, hidden.body) == (missing.status, missing.body)
    stage.withdraw("north")
    gone = stage.suite.files("nat").download(file)
    assert (gone.status, gone.body) == (missing.status, missing.body)


def test_the_robot_announces_a_schedule_fact_once(stage: Stage) -> None:
    for _ in range(2):
        stage.directory.projects.announce(
            project=stage.project,
            kind="audio_available",
            key="a1",
            facts={"language": "fr"},
        )
    stage.suite.settle()
    page = stage.as_("nat").messages.page(channel=stage.broadcast)
    assert [message.author.id for message in page.messages] == ["robot"]


def test_a_mail_withdrawn_in_time_never_leaves(stage: Stage) -> None:
    stage.follow("nat")
    stage.withdraw("north")
    posted = stage.post("ivy", stage.broadcast, "Hello")
    assert stage.mailed() == []
    explained = stage.directory.notifications.explain(message=posted.id, person="nat")
    assert [person.told for person in explained.people] == [False]


def test_a_partner_learns_nothing_of_others_from_an_explanation(stage: Stage) -> None:
    stage.follow("nat", "sam", "ian")
    posted = stage.post("ivy", stage.broadcast, "Hello")
    stage.suite.settle()
    nat = stage.as_("nat").notifications
    assert [p.person for p in nat.explain(message=posted.id).people] == ["nat"]
    with pytest.raises(Refused) as hidden:
        nat.explain(message=posted.id, person="sam")
    with pytest.raises(Refused) as missing:
        nat.explain(message=posted.id, person="nobody")
    assert hidden.value.args == missing.value.args
