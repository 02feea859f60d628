"""Posting: who, what, once, and in order (rules 9 to 11 and the table of section 2)."""

from collections.abc import Callable

import eventlet
import pytest
from sqlalchemy import func, select

from clp_contracts.messages import Posted
from clp_messages.tables import MessageRow
from clp_suite.sample_data import CastMember
from tests.services.messages.scenario import BROADCAST, NORTH, SOUTH, Scenario, refusal

# who    | channel            | answer
TABLE = [
    ("ivy", BROADCAST, ""),
    ("ivy", NORTH, ""),
    ("ivy", SOUTH, ""),
    ("nat", BROADCAST, "broadcast.internal_only"),
    ("nat", NORTH, ""),
    ("nat", SOUTH, "channel.missing"),
    ("wes", BROADCAST, "channel.missing"),
    ("wes", "p1/direct/west", "channel.missing"),
    ("robot", BROADCAST, "channel.missing"),
    ("robot", NORTH, "channel.missing"),
    ("lin", BROADCAST, "channel.missing"),
    ("lin", NORTH, "channel.missing"),
    ("nobody", BROADCAST, "channel.missing"),
    ("ivy", "nowhere/broadcast", "channel.missing"),
    ("ivy", "p1/direct/nobody", "channel.missing"),
    ("ivy", "p1", "channel.missing"),
    ("ivy", "p1/direct/nor\x00th", "channel.missing"),
    ("ivy", "../broadcast", "channel.missing"),
]


@pytest.mark.parametrize(("person", "channel", "code"), TABLE)
def test_who_may_post_where(
    scenario: Scenario, person: str, channel: str, code: str
) -> None:
    if code:
        assert refusal(lambda: scenario.post(person, channel, "hello")) == code
    else:
        assert scenario.post(person, channel, "hello").number == 1


def test_the_message_is_kept_exactly_as_it_was_sent(scenario: Scenario) -> None:
    text = "  a\r\nb \u202e\u200b <script> \U0001f680 '; drop table messages; --\t"
    posted = scenario.post("nat", NORTH, text)
    (shown,) = scenario.page("ivy", NORTH).messages
    assert shown.text == text
    assert (shown.id, shown.number, shown.revision) == (posted.id, 1, 1)
    assert (shown.author.id, shown.author.name) == ("nat", "Nat Moreau")
    assert shown.author.side == "external"
    assert shown.posted_at == posted.posted_at == scenario.time
    assert (shown.edited_at, shown.deleted, shown.attachments) == (None, False, ())


def test_the_robot_posts_as_an_internal_author(scenario: Scenario) -> None:
    scenario.announce("passed, says @Ivy Lane")
    (shown,) = scenario.page("nat", BROADCAST).messages
    assert (shown.author.id, shown.author.side) == ("robot", "internal")
    assert scenario.content(shown.id).mentioned == ()


# text                       | answer
TEXTS = [
    ("", "text.empty"),
    (" \n\t", "text.empty"),
    ("x" * 10_000, ""),
    ("x" * 10_001, "text.too_long"),
    ("a\x00b", "text.malformed"),
    ("x\ud83dx", "text.malformed"),
    ("\ufffe\uffff", ""),
]


@pytest.mark.parametrize(("text", "code"), TEXTS)
def test_which_texts_are_accepted(scenario: Scenario, text: str, code: str) -> None:
    if code:
        assert refusal(lambda: scenario.post("ivy", NORTH, text)) == code
        assert scenario.numbers("ivy", NORTH) == []
    else:
        scenario.post("ivy", NORTH, text)
        assert scenario.texts("ivy", NORTH) == [text]


@pytest.mark.parametrize(
    "key", ["k" * 129, "a\nb", "a\x00b", "announcement\tx", "\ud800"]
)
def test_a_malformed_idempotency_key_is_refused(scenario: Scenario, key: str) -> None:
    assert refusal(lambda: scenario.post("ivy", NORTH, "x", key=key)) == (
        "idempotency_key.malformed"
    )


def test_the_same_key_and_content_gives_the_same_message(scenario: Scenario) -> None:
    first = scenario.post("ivy", NORTH, "hello @Nat Moreau", key="k")
    scenario.wait(hours=5)
    assert scenario.post("ivy", NORTH, "hello @Nat Moreau", key="k") == first
    assert scenario.numbers("ivy", NORTH) == [1]
    assert len(scenario.feed()) == 1


def test_the_same_key_with_other_content_is_refused(scenario: Scenario) -> None:
    scenario.post("ivy", NORTH, "hello", key="k")
    file = scenario.upload("ivy", NORTH)

    assert refusal(lambda: scenario.post("ivy", NORTH, "bye", key="k")) == (
        "idempotency_key.reused"
    )
    assert refusal(
        lambda: scenario.post("ivy", NORTH, "hello", key="k", files=(file,))
    ) == ("idempotency_key.reused")
    assert scenario.texts("ivy", NORTH) == ["hello"]


def test_keys_of_other_people_and_channels_are_others(scenario: Scenario) -> None:
    posted = {
        scenario.post("ivy", NORTH, "hello", key="k").id,
        scenario.post("nat", NORTH, "hello", key="k").id,
        scenario.post("ivy", SOUTH, "hello", key="k").id,
    }
    assert len(posted) == 3


def test_a_refusal_reveals_nothing_of_another_persons_key(
    scenario: Scenario,
) -> None:
    scenario.post("ivy", NORTH, "hello", key="k")
    missing = ("f" * 32,)
    assert refusal(
        lambda: scenario.post("nat", NORTH, "x", key="k", files=missing)
    ) == ("attachment.missing")


def test_a_key_lives_as_long_as_its_message(scenario: Scenario) -> None:
    first = scenario.post("ivy", NORTH, "hello", key="k")
    scenario.edit("ivy", first.id, "goodbye")
    assert scenario.post("ivy", NORTH, "hello", key="k") == first
    scenario.delete("ivy", first.id)
    assert scenario.post("ivy", NORTH, "hello", key="k") == first
    assert scenario.numbers("ivy", NORTH) == [1]


def test_a_replay_keeps_the_outcomes_of_the_first_time(scenario: Scenario) -> None:
    first = scenario.post("ivy", NORTH, "hello @Nat Moreau", key="k")
    assert [m.outcome for m in first.mentions] == ["mentioned"]
    del scenario.projects.people["nat"]
    assert scenario.post("ivy", NORTH, "hello @Nat Moreau", key="k") == first


def test_a_replay_succeeds_though_it_could_not_be_posted_now(
    scenario: Scenario,
) -> None:
    for number in range(50):
        scenario.projects.put(CastMember(f"x{number}", f"Extra Number{number}"))
    text = " ".join(f"@x{number}@studio.example" for number in range(51))
    first = scenario.post("ivy", NORTH, text, key="k")
    scenario.projects.put(CastMember("x50", "Extra Number50"))
    assert refusal(lambda: scenario.post("ivy", NORTH, text)) == "mention.too_many"
    assert scenario.post("ivy", NORTH, text, key="k") == first


def test_a_replay_with_a_file_gives_the_same_message(scenario: Scenario) -> None:
    file = scenario.upload("ivy", NORTH)
    first = scenario.post("ivy", NORTH, key="k", files=(file,))
    assert scenario.post("ivy", NORTH, key="k", files=(file,)) == first


def test_a_person_who_lost_access_learns_nothing_by_a_replay(
    scenario: Scenario,
) -> None:
    scenario.post("nat", NORTH, "hello", key="k")
    scenario.projects.withdraw("p1", "north")
    assert refusal(lambda: scenario.post("nat", NORTH, "hello", key="k")) == (
        "channel.missing"
    )


def in_parallel(calls: list[Callable[[], Posted]]) -> list[Posted]:
    return list(eventlet.GreenPool(len(calls)).imap(lambda call: call(), calls))


def test_fifty_parallel_replays_give_one_message(scenario: Scenario) -> None:
    scenario.post("ivy", NORTH, "before")
    replays = in_parallel(
        [lambda: scenario.post("ivy", NORTH, "hello @Nat Moreau", key="k")] * 50
    )
    assert len(set(replays)) == 1
    assert scenario.texts("ivy", NORTH) == ["before", "hello @Nat Moreau"]
    assert len(scenario.feed()) == 2
    assert scenario.post("ivy", NORTH, "after").number == 3


def test_parallel_replays_of_the_first_message_give_one(scenario: Scenario) -> None:
    replays = in_parallel([lambda: scenario.post("ivy", NORTH, "hello", key="k")] * 12)
    assert {posted.number for posted in replays} == {1}


def test_eight_parallel_writers_leave_no_gap(scenario: Scenario) -> None:
    def writer(number: int) -> Posted:
        posted = [
            scenario.post("ivy", NORTH, f"{number}.{line}", key=f"{number}.{line}")
            for line in range(10)
        ]
        assert [p.number for p in posted] == sorted(p.number for p in posted)
        return posted[-1]

    in_parallel([lambda n=n: writer(n) for n in range(8)])  # type: ignore[misc]
    assert scenario.numbers("ivy", NORTH, limit=100) == list(range(1, 81))
    assert len(set(scenario.texts("ivy", NORTH, limit=100))) == 80


def test_parallel_posts_of_one_author_are_all_counted_as_their_own(
    scenario: Scenario,
) -> None:
    scenario.post("nat", NORTH, "first")
    in_parallel([lambda: scenario.post("ivy", NORTH, "hello")] * 24)
    last = scenario.unread_in("nat", NORTH)
    assert (last.unread, last.first) == (24, 2)
    # Counted by subtracting the numbers of the author's own messages.
    assert scenario.unread_in("ivy", NORTH).unread == 1


def test_channels_are_numbered_each_for_itself(scenario: Scenario) -> None:
    for _ in range(3):
        scenario.post("ivy", SOUTH, "busy")
    assert scenario.post("nat", NORTH, "quiet").number == 1


def test_ids_reveal_no_order(scenario: Scenario) -> None:
    ids = [scenario.post("ivy", NORTH, "x").id for _ in range(8)]
    assert ids != sorted(ids)
    assert set(map(len, ids)) == {32}


def test_a_refused_post_takes_no_number(scenario: Scenario) -> None:
    scenario.post("ivy", NORTH, "one")
    assert refusal(lambda: scenario.post("ivy", NORTH, "x", files=("f" * 32,))) == (
        "attachment.missing"
    )
    assert scenario.post("ivy", NORTH, "two").number == 2


def test_a_post_is_one_change_of_ids_only(scenario: Scenario) -> None:
    posted = scenario.post("nat", NORTH, "planted word")
    (change,) = scenario.feed()
    assert change.type == "clp.messages.message_posted.v1"
    assert (change.subject, change.project) == (posted.id, "p1")
    assert change.detail == {
        "channel": NORTH,
        "number": "1",
        "revision": "1",
        "author": "nat",
    }


def test_a_replay_writes_nothing(scenario: Scenario) -> None:
    scenario.post("ivy", NORTH, "hello", key="k")
    scenario.post("ivy", NORTH, "hello", key="k")
    with scenario.deps.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(MessageRow)) == 1
