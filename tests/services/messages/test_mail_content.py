"""What may be mailed to several people at once: each gets a part of their own."""

import itertools

from clp_contracts.messages import AskForMails, ForMails, MailReader
from clp_contracts.projects import Follow
from clp_messages.use_cases import mail_content
from tests.services.messages.scenario import BROADCAST, NORTH, SOUTH, Stage


def for_mails(stage: Stage, **asked: list[str]) -> ForMails:
    readers = tuple(
        MailReader(person=person, messages=tuple(messages))
        for person, messages in asked.items()
    )
    return mail_content.for_mails(AskForMails(readers=readers), parts=stage.parts)


def test_each_reader_gets_what_that_reader_may_read(stage: Stage) -> None:
    everything = [
        stage.post("ivy", channel, "x").id for channel in (BROADCAST, NORTH, SOUTH)
    ]
    people = ("ivy", "nat", "sam", "lin", "nobody")
    told = for_mails(stage, **dict.fromkeys(people, everything))
    broadcast, north, south = everything
    assert {part.person: part.readable for part in told.readers} == {
        "ivy": (broadcast, north, south),
        "nat": (broadcast, north),
        "sam": (broadcast, south),
        "lin": (),
        "nobody": (),
    }


def test_a_part_is_the_same_whoever_else_is_asked_about(stage: Stage) -> None:
    everything = [
        stage.post("ivy", channel, "x").id for channel in (BROADCAST, NORTH, SOUTH)
    ]
    people = ("ivy", "nat", "sam", "nobody")
    alone = {
        person: for_mails(stage, **{person: everything}).readers[0] for person in people
    }
    for some in itertools.combinations(people, 3):
        told = for_mails(stage, **dict.fromkeys(some, everything))
        assert list(told.readers) == [alone[person] for person in some]


def test_a_message_travels_once_and_only_when_somebody_may_read_it(
    stage: Stage,
) -> None:
    broadcast, north = (stage.post("ivy", c, "x").id for c in (BROADCAST, NORTH))
    told = for_mails(stage, nat=[broadcast], sam=[broadcast, north])
    assert [message.id for message in told.messages] == [broadcast]


def test_what_is_read_or_mentions_is_told_of_each_reader(stage: Stage) -> None:
    first, second = (stage.post("ivy", NORTH, "@Nat Moreau") for _ in range(2))
    stage.mark_read("nat", NORTH, first.number)
    told = for_mails(stage, nat=[first.id, second.id], ivy=[second.id])
    nat, ivy = told.readers
    assert (nat.read, nat.mentioned) == ((first.id,), (first.id, second.id))
    assert (ivy.read, ivy.mentioned) == ((), ())


def test_a_deleted_message_is_named_and_not_told(stage: Stage) -> None:
    posted = stage.post("ivy", NORTH, "x")
    stage.delete("ivy", posted.id)
    told = for_mails(stage, nat=[posted.id, "f" * 32])
    assert told.deleted == (posted.id,)
    assert told.readers[0].readable == told.messages == ()


def test_access_is_asked_once_for_all_readers(stage: Stage) -> None:
    ids = [stage.post("ivy", channel, "x").id for channel in (NORTH, SOUTH)]
    stage.projects.asked.clear()
    for_mails(stage, nat=ids, sam=ids, ivy=ids)
    assert stage.projects.asked == {"facts": 1}


def test_the_facts_it_was_judged_by_are_told_with_it(stage: Stage) -> None:
    posted = stage.post("ivy", BROADCAST, "x")
    nat_follows = Follow(person="nat", project="p1")
    stage.projects.following = {nat_follows, Follow(person="lin", project="p1")}
    told = for_mails(stage, nat=[posted.id], sam=[posted.id], nobody=[posted.id])
    assert told.facts is not None
    assert [one.id for one in told.facts.projects] == ["p1"]
    assert [one.id for one in told.facts.people] == ["nat", "sam"]
    assert told.facts.follows == (nat_follows,)


def test_facts_are_asked_to_hold_for_as_long_as_the_asker_wants(stage: Stage) -> None:
    posted = stage.post("ivy", BROADCAST, "x")
    readers = (MailReader(person="nat", messages=(posted.id,)),)
    ask = AskForMails(readers=readers, good_for_s=1.5)
    told = mail_content.for_mails(ask, parts=stage.parts)
    assert told.facts is not None
    assert told.facts.good_for_s == 1.5
