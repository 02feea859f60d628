"""Rules 1 to 4: who the portal opens to, and on which side a person stands."""

from dataclasses import replace

import pytest

from clp_core.people import (
    PUBLISHED_ACCESS,
    ROBOT,
    AccessPolicy,
    Person,
    Robot,
    Side,
    has_portal_access,
)
from tests.core.sample_world import IVY, LIN, NAT, PORTAL

AUTHOR, PROOFREADER = "dialogue_list_author", "dialogue_list_proofreader"

WHO_GETS_IN = [
    # a person who                                        roles                                active  opens
    ("has the portal role", {"dub_portal_user"}, True, True),
    ("has other roles beside it", {"dub_portal_user", "mixer"}, True, True),
    ("has no role", set(), True, False),
    ("has some other role", {"mixer"}, True, False),
    ("is a linguist", {AUTHOR}, True, False),
    ("is a linguist with the portal role", {"dub_portal_user", AUTHOR}, True, False),
    ("is a proofreader with it", {"dub_portal_user", PROOFREADER}, True, False),
    (
        "is both kinds of linguist",
        {"dub_portal_user", AUTHOR, PROOFREADER},
        True,
        False,
    ),
    ("has the role in other letters", {"DUB_PORTAL_USER"}, True, False),
    ("has left", {"dub_portal_user"}, False, False),
    ("has left and was a linguist", {"dub_portal_user", AUTHOR}, False, False),
]


@pytest.mark.parametrize("someone", [IVY, NAT], ids=lambda p: p.id)
@pytest.mark.parametrize(
    ("who", "roles", "active", "opens"), WHO_GETS_IN, ids=[w[0] for w in WHO_GETS_IN]
)
def test_the_portal_opens_to(
    *, someone: Person, who: str, roles: set[str], active: bool, opens: bool
) -> None:
    judged = replace(someone, roles=frozenset(roles), active=active)
    assert has_portal_access(judged) is opens, who


def test_which_roles_admit_and_exclude_is_policy() -> None:
    access = AccessPolicy(
        admitting_roles=frozenset({"mixer"}),
        excluding_roles=frozenset({"dub_portal_user"}),
    )
    assert has_portal_access(replace(IVY, roles=frozenset({"mixer"})), access)
    assert not has_portal_access(IVY, access)
    assert not has_portal_access(replace(IVY, roles=PORTAL | {"mixer"}), access)


def test_the_published_policy_is_the_help_page() -> None:
    assert PUBLISHED_ACCESS.admitting_roles == {"dub_portal_user"}
    assert PUBLISHED_ACCESS.excluding_roles == {AUTHOR, PROOFREADER}
    assert AccessPolicy() == PUBLISHED_ACCESS


def test_a_person_with_a_partner_is_external() -> None:
    assert NAT.side is Side.EXTERNAL
    assert IVY.side is Side.INTERNAL
    assert LIN.side is Side.INTERNAL


def test_the_robot_is_an_internal_author() -> None:
    assert ROBOT.side is Side.INTERNAL
    assert ROBOT.id == "robot"
    assert Robot() == ROBOT


def test_a_person_is_active_and_without_roles_unless_said() -> None:
    fresh = Person(id=IVY.id, name=IVY.name, email=IVY.email)
    assert fresh.active
    assert fresh.roles == frozenset()
    assert fresh.side is Side.INTERNAL


def test_a_printed_person_keeps_the_address_to_themselves() -> None:
    assert "Nat Moreau" in repr(NAT)
    assert "@" not in repr(NAT)


def test_sides_have_the_names_of_the_help_page() -> None:
    assert [side.value for side in Side] == ["internal", "external"]
