"""People, the robot, and access to the portal (rules 1 to 4)."""

from dataclasses import dataclass, field
from typing import Final, NewType

from clp_core.decisions import Code

PersonId = NewType("PersonId", str)
PartnerId = NewType("PartnerId", str)


class Side(Code):
    """The studio, or the staff of a partner (section 1)."""

    INTERNAL = "internal"
    EXTERNAL = "external"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Anybody who can read, post or be told; at most one partner (rule 4).

    `roles` are free strings of the identity system; a leaver is not `active`. `repr`
    omits the mail address, which so stays out of logs.

    >>> Person(id=PersonId("ivy"), name="Ivy Lane", email="ivy@studio.example").side
    Side.INTERNAL
    """

    id: PersonId
    name: str
    email: str = field(repr=False)
    partner: PartnerId | None = None
    roles: frozenset[str] = frozenset()
    active: bool = True

    @property
    def side(self) -> Side:
        """A person with a partner is external (section 1)."""
        return Side.INTERNAL if self.partner is None else Side.EXTERNAL


@dataclass(frozen=True, slots=True)
class Robot:
    """The internal author of automatic messages (rule 3).

    It posts broadcasts, reads nothing, is never told and cannot be mentioned.
    """

    id: PersonId = PersonId("robot")

    @property
    def side(self) -> Side:
        """The robot is internal (rule 3)."""
        return Side.INTERNAL


ROBOT: Final = Robot()

Author = Person | Robot


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessPolicy:
    """Roles that admit to the portal and roles that exclude from it (rule 1).

    An excluding role wins. Without an admitting role the portal is open to nobody.
    """

    admitting_roles: frozenset[str] = frozenset({"dub_portal_user"})
    excluding_roles: frozenset[str] = frozenset(
        {"dialogue_list_author", "dialogue_list_proofreader"}
    )


PUBLISHED_ACCESS: Final = AccessPolicy()


def has_portal_access(person: Person, access: AccessPolicy = PUBLISHED_ACCESS) -> bool:
    """Admit active people with an admitting and no excluding role (rule 1).

    >>> roles = frozenset({"dub_portal_user"})
    >>> has_portal_access(Person(id="nat", name="Nat", email="", roles=roles))
    True
    >>> roles |= {"dialogue_list_author"}
    >>> has_portal_access(Person(id="lin", name="Lin", email="", roles=roles))
    False
    """
    return (
        person.active
        and not access.admitting_roles.isdisjoint(person.roles)
        and access.excluding_roles.isdisjoint(person.roles)
    )
