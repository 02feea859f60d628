"""Readable messages of several people: each gets their own part."""

import itertools

from clp_contracts.messages import GetReadableMessages, MailReader, ReadableMessages
from clp_contracts.projects import Follow
from clp_messages.use_cases import mail_content
from tests.services.messages.scenario import BROADCAST, NORTH, SOUTH, Scenario


def readable_messages(scenario: Scenario, **messages_of: list[str]) -> ReadableMessages:
    readers = tuple(
        MailReader(person=person, message_ids=tuple(messages))
        for person, messages in messages_of.items()
    )
    return mail_content.readable_messages(
        GetReadableMessages(readers=readers), deps=scenario.deps
    )


def test_each_reader_gets_what_they_may_read(scenario: Scenario) -> None:
    everything = [
        scenario.post("ivy", channel, "x").id for channel in (BROADCAST, NORTH, SOUTH)
    ]
    people = ("ivy", "nat", "sam", "lin", "nobody")
    response = readable_messages(scenario, **dict.fromkeys(people, everything))
    broadcast, north, south = everything
    assert {part.person: part.readable for part in response.readers} == {
        "ivy": (broadcast, north, south),
        "nat": (broadcast, north),
        "sam": (broadcast, south),
        "lin": (),
        "nobody": (),
    }


def test_a_readers_part_is_independent_of_other_readers(scenario: Scenario) -> None:
    everything = [
        scenario.post("ivy", channel, "x").id for channel in (BROADCAST, NORTH, SOUTH)
    ]
    people = ("ivy", "nat", "sam", "nobody")
    alone = {
        person: readable_messages(scenario, **{person: everything}).readers[0]
        for person in people
    }
    for some in itertools.combinations(people, 3):
        response = readable_messages(scenario, **dict.fromkeys(some, everything))
        assert list(response.readers) == [alone[person] for person in some]


def test_a_message_is_sent_once_and_only_if_a_reader_may_read_it(
    scenario: Scenario,
) -> None:
    broadcast, north = (scenario.post("ivy", c, "x").id for c in (BROADCAST, NORTH))
    response = readable_messages(scenario, nat=[broadcast], sam=[broadcast, north])
    assert [message.id for message in response.messages] == [broadcast]


def test_read_and_mentioned_are_per_reader(scenario: Scenario) -> None:
    first, second = (scenario.post("ivy", NORTH, "@Nat Moreau") for _ in range(2))
    scenario.mark_read("nat", NORTH, first.number)
    response = readable_messages(scenario, nat=[first.id, second.id], ivy=[second.id])
    nat, ivy = response.readers
    assert (nat.read, nat.mentioned_in) == ((first.id,), (first.id, second.id))
    assert (ivy.read, ivy.mentioned_in) == ((), ())


def test_a_deleted_message_is_listed_without_its_text(scenario: Scenario) -> None:
    posted = scenario.post("ivy", NORTH, "x")
    scenario.delete("ivy", posted.id)
    response = readable_messages(scenario, nat=[posted.id, "f" * 32])
    assert response.deleted_ids == (posted.id,)
    assert response.readers[0].readable == response.messages == ()


def test_one_call_checks_access_for_all_readers(scenario: Scenario) -> None:
    ids = [scenario.post("ivy", channel, "x").id for channel in (NORTH, SOUTH)]
    scenario.projects.calls.clear()
    readable_messages(scenario, nat=ids, sam=ids, ivy=ids)
    assert scenario.projects.calls == {"facts": 1}


def test_the_response_holds_the_facts_it_was_judged_by(scenario: Scenario) -> None:
    posted = scenario.post("ivy", BROADCAST, "x")
    nat_follows = Follow(person="nat", project="p1")
    scenario.projects.following = {nat_follows, Follow(person="lin", project="p1")}
    response = readable_messages(
        scenario, nat=[posted.id], sam=[posted.id], nobody=[posted.id]
    )
    assert [project.id for project in response.facts.projects] == ["p1"]
    assert [person.id for person in response.facts.people] == ["nat", "sam"]
    assert response.facts.follows == (nat_follows,)


def test_a_requested_lease_is_passed_on(
    scenario: Scenario,
) -> None:
    posted = scenario.post("ivy", BROADCAST, "x")
    readers = (MailReader(person="nat", message_ids=(posted.id,)),)
    request = GetReadableMessages(readers=readers, lease_s=1.5)
    response = mail_content.readable_messages(request, deps=scenario.deps)
    assert response.facts.lease_s == 1.5
