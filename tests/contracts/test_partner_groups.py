"""T23: the people of a partner share a place in the queues of calls."""

from dataclasses import replace

from clp_contracts.partner_groups import MAX_PEOPLE, PartnerGroups
from clp_contracts.projects import PersonFacts

NAT = PersonFacts(
    id="nat", name="Nat", email="nat@x", partner="north", roles=(), active=True
)
IVY = replace(NAT, id="ivy", partner=None)


def test_t23_people_of_a_partner_share_a_group_and_studio_people_do_not() -> None:
    groups = PartnerGroups()
    groups.note([NAT, replace(NAT, id="nia"), IVY])
    people = ("nat", "nia", "ivy", "eve")
    assert [groups.of(person) for person in people] == [
        "partner north", "partner north", "person ivy", "person eve",
    ]  # fmt: skip


def test_t23_who_may_have_moved_is_alone_until_heard_of_again() -> None:
    groups = PartnerGroups()
    groups.note([NAT])
    groups.forget("nat")
    assert groups.of("nat") == "person nat"
    groups.note([replace(NAT, partner="south")])
    assert groups.of("nat") == "partner south"
    groups.note([replace(NAT, partner="west")])
    assert groups.of("nat") == "partner west"


def test_t23_the_number_of_known_people_is_bounded() -> None:
    groups = PartnerGroups()
    groups.note(replace(NAT, id=f"n{number}") for number in range(MAX_PEOPLE + 1))
    assert groups.of("n0") == "person n0"
    assert groups.of(f"n{MAX_PEOPLE}") == "partner north"
