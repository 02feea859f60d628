"""Facts as plain data: what is read, and how a mistake is found again."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import clp_core
from clp_core.decisions import InvalidValue
from clp_core.messages import TextPolicy
from clp_core.people import ROBOT, Person, PersonId
from clp_core.policies import Policies
from clp_core.routing import Occasion, RoutingReason, Trigger
from clp_core.scenarios import Scenario
from tests.core.sample_world import (
    BROADCAST,
    IVY,
    LIN,
    NAT,
    P1,
    PORTAL,
    SAM,
    WITH_NORTH,
)

SCENARIO_DATA: dict[str, Any] = {
    "project": {"id": "p1", "assigned": ["north", "south"], "withdrawn": ["east"]},
    "people": [
        {"id": "ivy", "name": "Ivy Lane", "email": "ivy@studio.example", "roles": [*PORTAL]},
        {"id": "nat", "name": "Nat Moreau", "email": "nat@north.example", "partner": "north", "roles": [*PORTAL]},
        {"id": "sam", "name": "Sam Duarte", "email": "sam@south.example", "partner": "south", "roles": [*PORTAL]},
        {"id": "lin", "name": "Lin Okafor", "email": "lin@studio.example", "partner": None, "roles": sorted(LIN.roles), "active": True},
    ],
    "channel": "p1/direct/north",
    "author": "ivy",
    "followers": ["nat", "sam"],
    "mentioned": ["lin"],
}  # fmt: skip


def scenario_data(**changes: Any) -> dict[str, Any]:
    return {**deepcopy(SCENARIO_DATA), **changes}


def test_everything_in_the_data_is_read() -> None:
    scenario = Scenario.from_mapping(scenario_data())
    assert scenario.people == (IVY, NAT, SAM, LIN)
    assert scenario.facts.project == P1
    assert scenario.facts.channel == WITH_NORTH
    assert scenario.facts.author == IVY
    assert scenario.facts.followers == {NAT, SAM}
    assert scenario.facts.mentioned == {LIN}
    assert scenario.facts.occasion is Occasion.POSTED
    assert scenario.policies == Policies()


def test_what_is_left_out_is_empty() -> None:
    scenario = Scenario.from_mapping(
        {"project": {"id": "p1"}, "channel": "p1/broadcast", "author": "robot"}
    )
    assert scenario.facts.author is ROBOT
    assert scenario.facts.channel == BROADCAST
    assert scenario.facts.project.assigned == frozenset()
    assert scenario.facts.followers == frozenset()
    assert scenario.explanations() == ()


def test_a_person_needs_no_more_than_an_id() -> None:
    scenario = Scenario.from_mapping(
        scenario_data(people=[{"id": "ivy"}], followers=[], mentioned=[])
    )
    assert scenario.people == (Person(id=PersonId("ivy"), name="ivy", email=""),)


def test_people_may_have_left() -> None:
    people = [{"id": "ivy", "active": False}]
    scenario = Scenario.from_mapping(
        scenario_data(people=people, followers=[], mentioned=[])
    )
    assert not scenario.people[0].active


def test_an_edit_is_read() -> None:
    scenario = Scenario.from_mapping(scenario_data(occasion="edited"))
    assert scenario.facts.occasion is Occasion.EDITED


def test_a_partner_assigned_again_is_not_withdrawn() -> None:
    project = {"id": "p1", "assigned": ["north"], "withdrawn": ["north", "east"]}
    scenario = Scenario.from_mapping(scenario_data(project=project))
    assert scenario.facts.project.withdrawn == {"east"}


def test_policies_are_read() -> None:
    scenario = Scenario.from_mapping(
        scenario_data(policies={"text": {"max_characters": 9}})
    )
    assert scenario.policies.text == TextPolicy(max_characters=9)


def test_everybody_is_explained_by_the_policies_given() -> None:
    explained = {
        e.person.id: e.reason.value
        for e in Scenario.from_mapping(scenario_data()).explanations()
    }
    assert explained == {
        "ivy": "not_told.author",
        "lin": "not_told.no_portal_access",
        "nat": "not_told.replaced_by_mention",
        "sam": "not_told.may_not_read",
    }
    adds = {"routing": {"mention_routing": "adds"}, "access": {"excluding_roles": []}}
    lin, *_ = Scenario.from_mapping(scenario_data(policies=adds)).explanations()[1:]
    assert lin.trigger is Trigger.MENTION
    nat = Scenario.from_mapping(scenario_data(policies=adds)).explanations()[2]
    assert nat.reason is RoutingReason.TOLD_DIRECT_TO_PARTNER


TABLE, LIST, WORDS = (
    "must be a table of fields",
    "must be a list",
    "must be a list of words",
)
MISTAKES: list[tuple[object, str]] = [
    ([], f"the file: {TABLE}"),
    (None, f"the file: {TABLE}"),
    (scenario_data(colour="red"), "colour: there is no such field"),
    ({}, f"project: {TABLE}"),
    (scenario_data(project=[]), f"project: {TABLE}"),
    (scenario_data(project={}), "project.id: is missing"),
    (scenario_data(project={"id": 1}), "project.id: must be a word"),
    (scenario_data(project={"id": "p 1"}), "project.id: 'p 1' cannot be an id"),
    (scenario_data(project={"id": "p1", "name": "x"}), "project.name: there is no such field"),
    (scenario_data(project={"id": "p1", "assigned": "north"}), f"project.assigned: {LIST}"),
    (scenario_data(project={"id": "p1", "assigned": [1]}), f"project.assigned: {WORDS}"),
    (scenario_data(project={"id": "p1", "withdrawn": ["é"]}), "project.withdrawn: 'é' cannot be an id"),
    (scenario_data(people={}), f"people: {LIST}"),
    (scenario_data(people=[1]), f"people[0]: {TABLE}"),
    (scenario_data(people=[{"id": "ivy"}, {}]), "people[1].id: is missing"),
    (scenario_data(people=[{"id": "ivy"}, {"id": "ivy"}]), "people[1].id: ivy is somebody else already"),
    (scenario_data(people=[{"id": "robot"}]), "people[0].id: robot is somebody else already"),
    (scenario_data(people=[{"id": "ivy", "side": "x"}]), "people[0].side: there is no such field"),
    (scenario_data(people=[{"id": "ivy", "name": 1}]), "people[0].name: must be a word"),
    (scenario_data(people=[{"id": "ivy", "email": 1}]), "people[0].email: must be a word"),
    (scenario_data(people=[{"id": "ivy", "partner": 1}]), "people[0].partner: must be a word"),
    (scenario_data(people=[{"id": "ivy", "partner": ""}]), "people[0].partner: '' cannot be an id"),
    (scenario_data(people=[{"id": "ivy", "roles": "x"}]), f"people[0].roles: {LIST}"),
    (scenario_data(people=[{"id": "ivy", "active": 1}]), "people[0].active: must be true or false"),
    (scenario_data(channel=None), "channel: is missing"),
    (scenario_data(channel="p1"), "channel: 'p1': no channel has this name"),
    (scenario_data(channel="p1/direct/west"), "channel: p1 has no channel p1/direct/west"),
    (scenario_data(channel="p2/broadcast"), "channel: p1 has no channel p2/broadcast"),
    (scenario_data(author="zed"), "author: nobody in people is called 'zed'"),
    (scenario_data(author=["ivy"]), "author: must be a word"),
    (scenario_data(followers=["nat", "zed"]), "followers: nobody in people is called 'zed'"),
    (scenario_data(mentioned=["robot"]), "mentioned: nobody in people is called 'robot'"),
    (scenario_data(followers="nat"), f"followers: {LIST}"),
    (scenario_data(occasion="withdrawn"), "occasion: must be one of posted, edited, deleted"),
    (scenario_data(policies=[]), f"policies: {TABLE}"),
    (scenario_data(policies={"text": {"max": 1}}), "policies.text.max: no policy has this field"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("mapping", "sentence"), MISTAKES, ids=[row[1].split("'")[0] for row in MISTAKES]
)
def test_a_mistake_is_named_by_its_place(mapping: object, sentence: str) -> None:
    with pytest.raises(InvalidValue) as problem:
        Scenario.from_mapping(mapping)
    assert str(problem.value) == sentence


EXAMPLES = Path(__file__).parents[2] / "libs" / "clp_core" / "examples"


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.json")), ids=lambda p: p.stem)
def test_the_examples_that_ship_are_read(path: Path) -> None:
    scenario = Scenario.from_mapping(json.loads(path.read_text(encoding="utf-8")))
    assert any(explanation.told for explanation in scenario.explanations())


def test_there_are_examples() -> None:
    assert list(EXAMPLES.glob("*.json"))
    assert clp_core.__doc__


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
)


@pytest.mark.property
@given(
    st.dictionaries(
        st.sampled_from([*SCENARIO_DATA, "policies", "occasion", "x"]), json_values
    )
)
def test_no_data_is_worse_than_a_named_mistake(changes: dict[str, Any]) -> None:
    mapping = scenario_data(**changes)
    try:
        judged = repr(Scenario.from_mapping(mapping))
    except InvalidValue as problem:
        judged = str(problem)
    assert judged.startswith(("Scenario(", *mapping))
