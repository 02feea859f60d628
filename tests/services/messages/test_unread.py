"""Unread numbers and read markers (rules 31 and 32)."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clp_contracts.messages import ChannelUnread
from clp_core.channels import Channel
from clp_core.messages import MessageFacts
from clp_core.people import PersonId
from clp_core.unread import first_unread, unread_count
from tests.services.messages.scenario import BROADCAST, NORTH, SOUTH, Stage, refusal


def test_unread_is_after_the_marker_by_others_and_not_deleted(stage: Stage) -> None:
    stage.post("ivy", NORTH, "1 read")
    stage.post("nat", NORTH, "2 own")
    deleted = stage.post("ivy", NORTH, "3 deleted")
    stage.post("ivy", NORTH, "4")
    stage.post("nat", NORTH, "5 own")
    stage.post("ian", NORTH, "6")
    stage.mark_read("nat", NORTH, 1)
    stage.delete("ivy", deleted.id)
    assert stage.unread_in("nat", NORTH) == ChannelUnread(
        channel=NORTH, unread=2, first=4, marker=1
    )
    assert stage.unread_in("ivy", NORTH) == ChannelUnread(
        channel=NORTH, unread=3, first=2, marker=0
    )


def test_opening_at_the_first_unread_shows_it(stage: Stage) -> None:
    for number in range(1, 31):
        stage.post("ivy", NORTH, str(number))
    stage.mark_read("nat", NORTH, 12)
    first = stage.unread_in("nat", NORTH).first
    assert first == 13
    assert first in stage.numbers("nat", NORTH, around=first, limit=5)


def test_a_marker_only_moves_forward_and_never_past_the_end(stage: Stage) -> None:
    for _ in range(5):
        stage.post("ivy", NORTH, "x")
    assert stage.mark_read("nat", NORTH, 3) == 3
    assert stage.mark_read("nat", NORTH, 2) == 3
    assert stage.mark_read("nat", NORTH, -(10**30)) == 3
    assert stage.mark_read("nat", NORTH, 10**30) == 5
    stage.post("ivy", NORTH, "new")
    assert stage.unread_in("nat", NORTH).unread == 1


def test_a_marker_in_a_quiet_channel_stays_at_the_beginning(stage: Stage) -> None:
    assert stage.mark_read("nat", NORTH, 7) == 0
    assert stage.mark_read("nat", NORTH, -7) == 0
    stage.post("ivy", NORTH, "x")
    assert stage.unread_in("nat", NORTH).unread == 1


def test_markers_are_each_persons_own(stage: Stage) -> None:
    stage.post("ivy", NORTH, "x")
    stage.mark_read("nat", NORTH, 1)
    assert stage.unread_in("nat", NORTH).unread == 0
    assert stage.unread_in("nia", NORTH).unread == 1


@pytest.mark.parametrize("person", ["sam", "wes", "lin", "nobody", "robot"])
def test_who_may_not_read_marks_nothing(stage: Stage, person: str) -> None:
    stage.post("ivy", NORTH, "x")
    assert refusal(lambda: stage.mark_read(person, NORTH, 1)) == "channel.missing"


def test_a_projects_number_sums_what_the_person_may_read(stage: Stage) -> None:
    for channel in (BROADCAST, NORTH, NORTH, SOUTH, SOUTH, SOUTH):
        stage.post("ian", channel, "x")
    (for_ivy,) = stage.unread("ivy").projects
    assert (for_ivy.project, for_ivy.unread) == ("p1", 6)
    (for_nat,) = stage.unread("nat").projects
    assert for_nat.unread == 3
    assert [c.channel for c in for_nat.channels] == [BROADCAST, NORTH]


def test_projects_come_in_the_order_asked_for_and_hidden_ones_not_at_all(
    stage: Stage,
) -> None:
    stage.projects.put_project("p2", ["north"])
    stage.projects.put_project("p3", ["south"])
    stage.post("ian", "p2/broadcast", "x")
    asked = ("p3", "p2", "nowhere", "p1", "p2", "p/x", "p\x00")
    told = [(p.project, p.unread) for p in stage.unread("nat", *asked).projects]
    assert told == [("p2", 1), ("p1", 0)]


@pytest.mark.parametrize("person", ["wes", "lin", "nobody", "robot"])
def test_who_may_read_nothing_has_nothing_unread(stage: Stage, person: str) -> None:
    stage.post("ivy", BROADCAST, "x")
    assert stage.unread(person).projects == ()


def test_two_hundred_projects_cost_one_call_and_one_statement(stage: Stage) -> None:
    projects = [f"q{number}" for number in range(200)]
    for project in projects:
        stage.projects.put_project(project, ["north", "south"])
    for project in projects[::20]:
        stage.post("ian", f"{project}/broadcast", "x")
        stage.post("ian", f"{project}/direct/north", "x")
    stage.projects.asked.clear()
    with stage.counted_statements() as statements:
        told = stage.unread("ivy", *projects)
    assert [p.unread for p in told.projects] == [
        2 if n % 20 == 0 else 0 for n in range(200)
    ]
    assert stage.projects.asked == {"facts": 1}
    assert len(statements) == 1, statements


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("post"), st.sampled_from(["ivy", "nat"])),
        st.tuples(st.just("delete"), st.integers(0, 9)),
        st.tuples(st.just("read"), st.integers(0, 12)),
    ),
    max_size=25,
)


@pytest.mark.property
@settings(
    max_examples=30,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=STEPS, data=st.data())
def test_the_database_counts_as_the_rule_does(
    stage: Stage, steps: list[tuple[str, object]], data: st.DataObject
) -> None:
    project = f"h{data.draw(st.integers(0, 10**9))}-{len(stage.projects.projects)}"
    stage.projects.put_project(project, ["north"])
    channel = f"{project}/direct/north"
    ids: list[str] = []
    messages: list[MessageFacts] = []
    marker = 0
    for step, what in steps:
        if step == "post":
            ids.append(stage.post(str(what), channel, "x").id)
            author = PersonId(str(what))
            facts = MessageFacts(
                channel=Channel.named(channel), number=len(ids), author=author
            )
            messages.append(facts)
        elif step == "read":
            marker = stage.mark_read("nat", channel, int(str(what)))
        elif int(str(what)) < len(ids) and not messages[int(str(what))].deleted:
            old = messages[int(str(what))]
            stage.delete("ivy", ids[old.number - 1])
            messages[old.number - 1] = MessageFacts(
                channel=old.channel, number=old.number, author=old.author, deleted=True
            )
    (told,) = stage.unread("nat", project).projects
    nat = PersonId("nat")
    assert told.unread == unread_count(messages, nat, marker)
    assert told.channels[1].first == first_unread(messages, nat, marker)
    assert told.channels[1].marker == marker
