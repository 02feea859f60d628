"""Unread numbers and read markers (rules 31 and 32)."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clp_contracts.messages import ChannelUnread
from clp_core.channels import Channel
from clp_core.messages import MessageFacts
from clp_core.people import PersonId
from clp_core.unread import first_unread, unread_count
from clp_messages.use_cases.unread import MAX_LEASED_PROJECTS
from tests.services.messages.scenario import BROADCAST, NORTH, SOUTH, Scenario, refusal


def test_unread_is_after_the_marker_by_others_and_not_deleted(
    scenario: Scenario,
) -> None:
    scenario.post("ivy", NORTH, "1 read")
    scenario.post("nat", NORTH, "2 own")
    deleted = scenario.post("ivy", NORTH, "3 deleted")
    scenario.post("ivy", NORTH, "4")
    scenario.post("nat", NORTH, "5 own")
    scenario.post("ian", NORTH, "6")
    scenario.mark_read("nat", NORTH, 1)
    scenario.delete("ivy", deleted.id)
    assert scenario.unread_in("nat", NORTH) == ChannelUnread(
        channel=NORTH, unread=2, first=4, marker=1, last=6
    )
    assert scenario.unread_in("ivy", NORTH) == ChannelUnread(
        channel=NORTH, unread=3, first=2, marker=0, last=6
    )


def test_opening_at_the_first_unread_shows_it(scenario: Scenario) -> None:
    for number in range(1, 31):
        scenario.post("ivy", NORTH, str(number))
    scenario.mark_read("nat", NORTH, 12)
    first = scenario.unread_in("nat", NORTH).first
    assert first == 13
    assert first in scenario.numbers("nat", NORTH, around=first, limit=5)


def test_a_marker_only_moves_forward_and_never_past_the_end(scenario: Scenario) -> None:
    for _ in range(5):
        scenario.post("ivy", NORTH, "x")
    assert scenario.mark_read("nat", NORTH, 3) == 3
    assert scenario.mark_read("nat", NORTH, 2) == 3
    assert scenario.mark_read("nat", NORTH, -(10**30)) == 3
    assert scenario.mark_read("nat", NORTH, 10**30) == 5
    scenario.post("ivy", NORTH, "new")
    assert scenario.unread_in("nat", NORTH).unread == 1


def test_a_marker_in_a_quiet_channel_stays_at_the_beginning(scenario: Scenario) -> None:
    assert scenario.mark_read("nat", NORTH, 7) == 0
    assert scenario.mark_read("nat", NORTH, -7) == 0
    scenario.post("ivy", NORTH, "x")
    assert scenario.unread_in("nat", NORTH).unread == 1


def test_markers_are_each_persons_own(scenario: Scenario) -> None:
    scenario.post("ivy", NORTH, "x")
    scenario.mark_read("nat", NORTH, 1)
    assert scenario.unread_in("nat", NORTH).unread == 0
    assert scenario.unread_in("nia", NORTH).unread == 1


@pytest.mark.parametrize("person", ["sam", "wes", "lin", "nobody", "robot"])
def test_a_person_who_may_not_read_cannot_mark_read(
    scenario: Scenario, person: str
) -> None:
    scenario.post("ivy", NORTH, "x")
    assert refusal(lambda: scenario.mark_read(person, NORTH, 1)) == "channel.missing"


def test_a_projects_number_sums_what_the_person_may_read(scenario: Scenario) -> None:
    for channel in (BROADCAST, NORTH, NORTH, SOUTH, SOUTH, SOUTH):
        scenario.post("ian", channel, "x")
    (for_ivy,) = scenario.unread("ivy").projects
    assert (for_ivy.project, for_ivy.unread) == ("p1", 6)
    (for_nat,) = scenario.unread("nat").projects
    assert for_nat.unread == 3
    assert [c.channel for c in for_nat.channels] == [BROADCAST, NORTH]


def test_projects_come_in_the_requested_order_without_hidden_ones(
    scenario: Scenario,
) -> None:
    scenario.projects.put_project("p2", ["north"])
    scenario.projects.put_project("p3", ["south"])
    scenario.post("ian", "p2/broadcast", "x")
    projects = ("p3", "p2", "nowhere", "p1", "p2", "p/x", "p\x00")
    numbers = [
        (p.project, p.unread) for p in scenario.unread("nat", *projects).projects
    ]
    assert numbers == [("p2", 1), ("p1", 0)]


@pytest.mark.parametrize("person", ["wes", "lin", "nobody", "robot"])
def test_a_person_without_access_has_no_unread_numbers(
    scenario: Scenario, person: str
) -> None:
    scenario.post("ivy", BROADCAST, "x")
    assert scenario.unread(person).projects == ()


def test_two_hundred_projects_cost_one_call_and_one_statement(
    scenario: Scenario,
) -> None:
    projects = [f"q{number}" for number in range(200)]
    for project in projects:
        scenario.projects.put_project(project, ["north", "south"])
    for project in projects[::20]:
        scenario.post("ian", f"{project}/broadcast", "x")
        scenario.post("ian", f"{project}/direct/north", "x")
    scenario.projects.calls.clear()
    with scenario.counted_statements() as statements:
        response = scenario.unread("ivy", *projects)
    assert [p.unread for p in response.projects] == [
        2 if n % 20 == 0 else 0 for n in range(200)
    ]
    assert scenario.projects.calls == {"facts": 1}
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
    scenario: Scenario, steps: list[tuple[str, object]], data: st.DataObject
) -> None:
    project = f"h{data.draw(st.integers(0, 10**9))}-{len(scenario.projects.projects)}"
    scenario.projects.put_project(project, ["north"])
    channel = f"{project}/direct/north"
    ids: list[str] = []
    messages: list[MessageFacts] = []
    marker = 0
    for step, what in steps:
        if step == "post":
            ids.append(scenario.post(str(what), channel, "x").id)
            author = PersonId(str(what))
            facts = MessageFacts(
                channel=Channel.named(channel), number=len(ids), author=author
            )
            messages.append(facts)
        elif step == "read":
            marker = scenario.mark_read("nat", channel, int(str(what)))
        elif int(str(what)) < len(ids) and not messages[int(str(what))].deleted:
            old = messages[int(str(what))]
            scenario.delete("ivy", ids[old.number - 1])
            messages[old.number - 1] = MessageFacts(
                channel=old.channel, number=old.number, author=old.author, deleted=True
            )
    (shown,) = scenario.unread("nat", project).projects
    nat = PersonId("nat")
    assert shown.unread == unread_count(messages, nat, marker)
    assert shown.channels[1].first == first_unread(messages, nat, marker)
    assert shown.channels[1].marker == marker


def test_unread_numbers_show_a_channel_of_a_new_partner_at_once(
    scenario: Scenario,
) -> None:
    scenario.fill_cache()
    scenario.projects.put_project("p1", ["north", "south", "west"])
    (project,) = scenario.unread("ivy").projects
    assert "p1/direct/west" in [one.channel for one in project.channels]


def test_a_partner_sees_a_new_assignment_at_once(scenario: Scenario) -> None:
    assert scenario.unread("wes").projects == ()
    scenario.projects.put_project("p1", ["north", "south", "west"])
    assert [one.project for one in scenario.unread("wes").projects] == ["p1"]


def test_many_projects_are_counted_in_one_call(scenario: Scenario) -> None:
    names = [f"many{number}" for number in range(MAX_LEASED_PROJECTS + 1)]
    for name in names:
        scenario.projects.put_project(name, ["north"])
    for several in (names, names[:3]):
        scenario.projects.calls.clear()
        found = scenario.unread("nat", *several)
        assert [one.project for one in found.projects] == several
        assert scenario.projects.calls == {"facts": 1}
    scenario.unread("nat", *names[:3])
    assert scenario.projects.calls == {"facts": 1}
