"""Messages as several people see them on their screens now (rules 45 and 49)."""

from clp_contracts.messages import GetScreenMessages, ScreenMessages
from clp_messages.use_cases import screens
from tests.services.messages.scenario import BROADCAST, NORTH, SOUTH, Scenario


def on_screens(scenario: Scenario, *people: str, ids: list[str]) -> ScreenMessages:
    request = GetScreenMessages(people=people, message_ids=tuple(ids), lease_s=0.5)
    return screens.screen_messages(request, deps=scenario.deps)


def shown(response: ScreenMessages) -> dict[str, list[str]]:
    return {
        screen.person: [item.message for item in screen.messages]
        for screen in response.screens
    }


def test_each_person_sees_the_messages_that_they_may_read(scenario: Scenario) -> None:
    ids = [scenario.post("ivy", c, "x").id for c in (SOUTH, BROADCAST, NORTH)]
    south, broadcast, north = ids
    people = ("ivy", "nat", "sam", "lin", "nobody")
    response = on_screens(scenario, *people, ids=ids)
    assert shown(response) == {
        "ivy": [south, broadcast, north],
        "nat": [broadcast, north],
        "sam": [south, broadcast],
        "lin": [],
        "nobody": [],
    }
    assert [message.id for message in response.messages] == ids


def test_a_screen_is_independent_of_the_other_people_and_messages(
    scenario: Scenario,
) -> None:
    ids = [scenario.post("ivy", c, "@Nat Moreau").id for c in (SOUTH, NORTH, BROADCAST)]
    alone = on_screens(scenario, "nat", ids=ids[1:])
    beside = on_screens(scenario, "sam", "nat", "ivy", ids=ids)
    assert beside.screens[1] == alone.screens[0]
    assert alone.messages == beside.messages[1:]


def test_a_message_that_nobody_may_read_is_not_in_the_response(
    scenario: Scenario,
) -> None:
    posted = scenario.post("ivy", SOUTH, "secret")
    assert on_screens(scenario, "nat", "nia", ids=[posted.id]).messages == ()


def test_marks_and_permissions_are_per_person(scenario: Scenario) -> None:
    posted = scenario.post("ivy", BROADCAST, "@Nat Moreau @Sam Duarte")
    response = on_screens(scenario, "ivy", "nat", "sam", ids=[posted.id])
    marks = {
        screen.person: [(m.person, m.me) for m in screen.messages[0].mentions]
        for screen in response.screens
    }
    assert marks == {
        "ivy": [("nat", False), ("sam", False)],
        "nat": [("nat", True)],
        "sam": [("sam", True)],
    }
    may = {s.person: s.messages[0].may for s in response.screens}
    assert (may["ivy"].edit, may["nat"].edit) == (True, False)
    assert response.messages[0].mentions == ()


def test_a_tombstone_is_on_the_screens_without_its_text(scenario: Scenario) -> None:
    posted = scenario.post("nat", NORTH, "@Ivy Lane secret")
    scenario.delete("ivy", posted.id)
    response = on_screens(scenario, "nat", "sam", ids=[posted.id])
    assert shown(response) == {"nat": [posted.id], "sam": []}
    (tombstone,) = response.messages
    assert (tombstone.deleted, tombstone.text) == (True, "")
    assert response.screens[0].messages[0].mentions == ()


def test_a_message_deleted_during_the_access_check_is_a_tombstone(
    scenario: Scenario,
) -> None:
    posted = scenario.post("nat", NORTH, "secret")

    def delete() -> None:
        scenario.projects.during_call = lambda: None
        scenario.delete("ivy", posted.id)

    scenario.projects.during_call = delete
    (message,) = on_screens(scenario, "nat", ids=[posted.id]).messages
    assert (message.deleted, message.text) == (True, "")


def test_it_costs_one_leased_call_however_many_people_look(scenario: Scenario) -> None:
    ids = [scenario.post("ivy", c, "x").id for c in (SOUTH, BROADCAST, NORTH)]
    scenario.projects.calls.clear()
    with scenario.counted_statements() as statements:
        response = on_screens(scenario, "ivy", "ian", "nat", "nia", "sam", ids=ids)
    assert (scenario.projects.calls, len(statements)) == ({"facts": 1}, 2)
    assert response.lease_s == 0.5


def test_missing_and_malformed_ids_are_left_out(scenario: Scenario) -> None:
    posted = scenario.post("ivy", NORTH, "x")
    ids = ["f" * 32, "\x00", "", posted.id, posted.id]
    assert shown(on_screens(scenario, "nat", ids=ids)) == {"nat": [posted.id]}
