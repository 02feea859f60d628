"""Guarantees of a conversation: idempotency, order, edits, unread numbers, search."""

import pytest

from clp_contracts.errors import Refused
from tests.journeys.scenario import Scenario


def test_a_replayed_post_is_the_same_message(scenario: Scenario) -> None:
    ivy = scenario.as_("ivy").messages
    posted = ivy.post(channel=scenario.broadcast, text="Hello @Nat Moreau", key="k")
    again = ivy.post(channel=scenario.broadcast, text="Hello @Nat Moreau", key="k")
    assert again == posted
    with pytest.raises(Refused, match=r"idempotency_key\.reused"):
        ivy.post(channel=scenario.broadcast, text="something else", key="k")
    assert len(ivy.page(channel=scenario.broadcast).messages) == 1


def test_messages_are_numbered_without_gaps_whatever_others_do(
    scenario: Scenario,
) -> None:
    numbers = []
    for _ in range(5):
        scenario.post("ivy", scenario.direct("south"), "elsewhere")
        numbers.append(scenario.post("nat", scenario.direct("north"), "here").number)
    assert numbers == [1, 2, 3, 4, 5]


def test_mention_outcomes_come_back_with_their_spans(scenario: Scenario) -> None:
    text = "@Nat Moreau @Sam Duarte @nia@north.example @Ivy Lane @Nat Moreau"
    posted = scenario.post("ivy", scenario.direct("north"), text)
    outcomes = [(text[m.start : m.end], m.outcome, m.person) for m in posted.mentions]
    assert outcomes == [
        ("@Nat Moreau", "mentioned", "nat"),
        ("@Sam", "unknown", None),
        ("@nia@north.example", "mentioned", "nia"),
        ("@Ivy Lane", "self", "ivy"),
        ("@Nat Moreau", "duplicate", "nat"),
    ]


def test_unread_counts_what_others_wrote_and_leads_to_the_first(
    scenario: Scenario,
) -> None:
    for text in ("one", "two", "three"):
        scenario.post("ivy", scenario.direct("north"), text)
    scenario.post("nat", scenario.direct("north"), "my own")
    nat = scenario.as_("nat").messages
    (project,) = nat.unread(projects=[scenario.project]).projects
    direct = next(c for c in project.channels if c.channel == scenario.direct("north"))
    assert (project.unread, direct.unread, direct.first) == (3, 3, 1)
    nat.mark_read(channel=scenario.direct("north"), number=2)
    nat.mark_read(channel=scenario.direct("north"), number=1)
    (project,) = nat.unread(projects=[scenario.project]).projects
    direct = next(c for c in project.channels if c.channel == scenario.direct("north"))
    assert (direct.unread, direct.first, direct.marker) == (1, 3, 2)


def test_an_edit_is_found_by_its_new_words_and_a_deleted_message_never(
    scenario: Scenario,
) -> None:
    posted = scenario.post("nat", scenario.direct("north"), "the okapi sleeps")
    nat = scenario.as_("nat")

    def total(query: str) -> int:
        scenario.suite.settle()
        return nat.search.find(query=query, channel=scenario.direct("north")).total

    assert (total("okapi"), total("tapir")) == (1, 0)
    nat.messages.edit(message=posted.id, text="the tapir sleeps")
    assert (total("okapi"), total("tapir")) == (0, 1)
    nat.messages.delete(message=posted.id)
    assert (total("okapi"), total("tapir")) == (0, 0)
    (tombstone,) = nat.messages.page(channel=scenario.direct("north")).messages
    assert (tombstone.deleted, tombstone.text) == (True, "")


def test_a_japanese_word_is_found_without_setup(scenario: Scenario) -> None:
    posted = scenario.post("nat", scenario.direct("north"), "字幕は明日できます。")
    scenario.suite.settle()
    (hit,) = (
        scenario.as_("ivy").search.find(query="明日", project=scenario.project).hits
    )
    (marked,) = hit.snippet.highlights
    assert hit.message == posted.id
    assert hit.snippet.text[marked.start : marked.end] == "明日"


def test_an_attachment_is_for_those_who_may_read_the_message(
    scenario: Scenario,
) -> None:
    body = b"scene,cue\n1,whistle\n"
    file = scenario.suite.files("ivy").upload(
        channel=scenario.direct("north"), name="cue sheet.csv", body=body
    )
    scenario.post("ivy", scenario.direct("north"), "", attachments=[file])
    got = scenario.suite.files("nat").download(file)
    assert (got.status, got.body) == (200, body)
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert got.headers["Content-Disposition"].startswith("attachment;")
    missing = scenario.suite.files("sam").download("0" * 32)
    hidden = scenario.suite.files("sam").download(file)
    assert (hidden.status, hidden.body) == (missing.status, missing.body)
    scenario.withdraw("north")
    gone = scenario.suite.files("nat").download(file)
    assert (gone.status, gone.body) == (missing.status, missing.body)


def test_the_robot_announces_a_schedule_fact_once(scenario: Scenario) -> None:
    for _ in range(2):
        scenario.directory.projects.announce(
            project=scenario.project,
            kind="audio_available",
            key="a1",
            facts={"language": "fr"},
        )
    scenario.suite.settle()
    page = scenario.as_("nat").messages.page(channel=scenario.broadcast)
    assert [message.author.id for message in page.messages] == ["robot"]


def test_a_mail_withdrawn_in_time_never_leaves(scenario: Scenario) -> None:
    scenario.follow("nat")
    scenario.withdraw("north")
    posted = scenario.post("ivy", scenario.broadcast, "Hello")
    assert scenario.mailed() == []
    explained = scenario.operations.notifications.explain(
        message=posted.id, person="nat"
    )
    assert [person.told for person in explained.people] == [False]


def test_a_partner_learns_nothing_of_others_from_an_explanation(
    scenario: Scenario,
) -> None:
    scenario.follow("nat", "sam", "ian")
    posted = scenario.post("ivy", scenario.broadcast, "Hello")
    scenario.suite.settle()
    nat = scenario.as_("nat").notifications
    assert [p.person for p in nat.explain(message=posted.id).people] == ["nat"]
    with pytest.raises(Refused) as hidden:
        nat.explain(message=posted.id, person="sam")
    with pytest.raises(Refused) as missing:
        nat.explain(message=posted.id, person="nobody")
    assert hidden.value.args == missing.value.args
