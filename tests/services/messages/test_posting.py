"""Posting: who, what, once, and in order (rules 9 to 11 and the table of section 2)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select

from clp_contracts.messages import Posted
from clp_messages.tables import MessageRow
from clp_suite.sample_data import Part
from tests.services.messages.scenario import BROADCAST, NORTH, SOUTH, Stage, refusal

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
    ("robot", BROADCAST, ""),
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


@pytest.mark.parametrize(("person", "channel", "answer"), TABLE)
def test_who_may_post_where(
    stage: Stage, person: str, channel: str, answer: str
) -> None:
    if answer:
        assert refusal(lambda: stage.post(person, channel, "hello")) == answer
    else:
        assert stage.post(person, channel, "hello").number == 1


def test_the_message_is_kept_exactly_as_it_was_sent(stage: Stage) -> None:
    text = "  a\r\nb \u202e\u200b <script> \U0001f680 '; drop table messages; --\t"
    posted = stage.post("nat", NORTH, text)
    (shown,) = stage.page("ivy", NORTH).messages
    assert shown.text == text
    assert (shown.id, shown.number, shown.revision) == (posted.id, 1, 1)
    assert (shown.author.id, shown.author.name) == ("nat", "Nat Moreau")
    assert shown.author.side == "external"
    assert shown.posted_at == posted.posted_at == stage.time
    assert (shown.edited_at, shown.deleted, shown.attachments) == (None, False, ())


def test_the_robot_speaks_for_the_studio(stage: Stage) -> None:
    stage.post("robot", BROADCAST, "The launch date has moved. @Ivy Lane")
    (shown,) = stage.page("nat", BROADCAST).messages
    assert (shown.author.id, shown.author.side) == ("robot", "internal")
    assert stage.content(shown.id).mentioned == ()


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


@pytest.mark.parametrize(("text", "answer"), TEXTS)
def test_what_may_be_said(stage: Stage, text: str, answer: str) -> None:
    if answer:
        assert refusal(lambda: stage.post("ivy", NORTH, text)) == answer
        assert stage.numbers("ivy", NORTH) == []
    else:
        stage.post("ivy", NORTH, text)
        assert stage.texts("ivy", NORTH) == [text]


@pytest.mark.parametrize(
    "key", ["k" * 129, "a\nb", "a\x00b", "announcement\tx", "\ud800"]
)
def test_a_malformed_retry_key_is_refused(stage: Stage, key: str) -> None:
    assert refusal(lambda: stage.post("ivy", NORTH, "x", key=key)) == (
        "retry_key.malformed"
    )


def test_the_same_key_and_content_gives_the_same_message(stage: Stage) -> None:
    first = stage.post("ivy", NORTH, "hello @Nat Moreau", key="k")
    stage.wait(hours=5)
    assert stage.post("ivy", NORTH, "hello @Nat Moreau", key="k") == first
    assert stage.numbers("ivy", NORTH) == [1]
    assert len(stage.feed()) == 1


def test_the_same_key_with_other_content_is_refused(stage: Stage) -> None:
    stage.post("ivy", NORTH, "hello", key="k")
    file = stage.upload("ivy", NORTH)

    assert refusal(lambda: stage.post("ivy", NORTH, "bye", key="k")) == (
        "retry_key.reused"
    )
    assert refusal(
        lambda: stage.post("ivy", NORTH, "hello", key="k", files=(file,))
    ) == ("retry_key.reused")
    assert stage.texts("ivy", NORTH) == ["hello"]


def test_keys_of_other_people_and_channels_are_others(stage: Stage) -> None:
    posted = {
        stage.post("ivy", NORTH, "hello", key="k").id,
        stage.post("nat", NORTH, "hello", key="k").id,
        stage.post("ivy", SOUTH, "hello", key="k").id,
    }
    assert len(posted) == 3


def test_a_refused_post_is_told_nothing_of_another_persons_key(stage: Stage) -> None:
    stage.post("ivy", NORTH, "hello", key="k")
    missing = ("f" * 32,)
    assert refusal(lambda: stage.post("nat", NORTH, "x", key="k", files=missing)) == (
        "attachment.missing"
    )


def test_a_key_lives_as_long_as_its_message(stage: Stage) -> None:
    first = stage.post("ivy", NORTH, "hello", key="k")
    stage.edit("ivy", first.id, "goodbye")
    assert stage.post("ivy", NORTH, "hello", key="k") == first
    stage.delete("ivy", first.id)
    assert stage.post("ivy", NORTH, "hello", key="k") == first
    assert stage.numbers("ivy", NORTH) == [1]


def test_a_replay_keeps_the_outcomes_of_the_first_time(stage: Stage) -> None:
    first = stage.post("ivy", NORTH, "hello @Nat Moreau", key="k")
    assert [m.outcome for m in first.mentions] == ["mentioned"]
    del stage.projects.people["nat"]
    assert stage.post("ivy", NORTH, "hello @Nat Moreau", key="k") == first


def test_a_replay_is_answered_though_it_could_not_be_posted_today(
    stage: Stage,
) -> None:
    for number in range(50):
        stage.projects.put(Part(f"x{number}", f"Extra Number{number}"))
    text = " ".join(f"@x{number}@studio.example" for number in range(51))
    first = stage.post("ivy", NORTH, text, key="k")
    stage.projects.put(Part("x50", "Extra Number50"))
    assert refusal(lambda: stage.post("ivy", NORTH, text)) == "mention.too_many"
    assert stage.post("ivy", NORTH, text, key="k") == first


def test_a_replay_with_a_file_gives_the_same_message(stage: Stage) -> None:
    file = stage.upload("ivy", NORTH)
    first = stage.post("ivy", NORTH, key="k", files=(file,))
    assert stage.post("ivy", NORTH, key="k", files=(file,)) == first


def test_who_lost_access_learns_nothing_by_a_replay(stage: Stage) -> None:
    stage.post("nat", NORTH, "hello", key="k")
    stage.projects.withdraw("p1", "north")
    assert refusal(lambda: stage.post("nat", NORTH, "hello", key="k")) == (
        "channel.missing"
    )


def in_parallel(calls: list[Callable[[], Posted]]) -> list[Posted]:
    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


def test_fifty_parallel_replays_give_one_message(stage: Stage) -> None:
    stage.post("ivy", NORTH, "before")
    replays = in_parallel(
        [lambda: stage.post("ivy", NORTH, "hello @Nat Moreau", key="k")] * 50
    )
    assert len(set(replays)) == 1
    assert stage.texts("ivy", NORTH) == ["before", "hello @Nat Moreau"]
    assert len(stage.feed()) == 2
    assert stage.post("ivy", NORTH, "after").number == 3


def test_parallel_replays_of_the_first_message_give_one(stage: Stage) -> None:
    replays = in_parallel([lambda: stage.post("ivy", NORTH, "hello", key="k")] * 12)
    assert {posted.number for posted in replays} == {1}


def test_eight_parallel_writers_leave_no_gap(stage: Stage) -> None:
    def writer(number: int) -> Posted:
        posted = [
            stage.post("ivy", NORTH, f"{number}.{line}", key=f"{number}.{line}")
            for line in range(10)
        ]
        assert [p.number for p in posted] == sorted(p.number for p in posted)
        return posted[-1]

    in_parallel([lambda n=n: writer(n) for n in range(8)])  # type: ignore[misc]
    assert stage.numbers("ivy", NORTH, limit=100) == list(range(1, 81))
    assert len(set(stage.texts("ivy", NORTH, limit=100))) == 80


def test_channels_are_numbered_each_for_itself(stage: Stage) -> None:
    for _ in range(3):
        stage.post("ivy", SOUTH, "busy")
    assert stage.post("nat", NORTH, "quiet").number == 1


def test_ids_tell_no_order(stage: Stage) -> None:
    ids = [stage.post("ivy", NORTH, "x").id for _ in range(8)]
    assert ids != sorted(ids)
    assert set(map(len, ids)) == {32}


def test_a_refused_post_takes_no_number(stage: Stage) -> None:
    stage.post("ivy", NORTH, "one")
    assert refusal(lambda: stage.post("ivy", NORTH, "x", files=("f" * 32,))) == (
        "attachment.missing"
    )
    assert stage.post("ivy", NORTH, "two").number == 2


def test_a_post_is_one_change_of_ids_only(stage: Stage) -> None:
    posted = stage.post("nat", NORTH, "planted word")
    (change,) = stage.feed()
    assert change.type == "clp.messages.message_posted.v1"
    assert (change.subject, change.project) == (posted.id, "p1")
    assert change.detail == {
        "channel": NORTH,
        "number": "1",
        "revision": "1",
        "author": "nat",
    }


def test_a_replay_writes_nothing(stage: Stage) -> None:
    stage.post("ivy", NORTH, "hello", key="k")
    stage.post("ivy", NORTH, "hello", key="k")
    with stage.parts.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(MessageRow)) == 1
