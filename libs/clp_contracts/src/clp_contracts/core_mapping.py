"""Map facts of the contracts to the values of `clp_core`.

Only this module imports the core; install it with the extra ``clp-contracts[core]``.
"""

from collections.abc import Iterable

from clp_contracts.projects import PersonFacts, ProjectFacts
from clp_core.channels import Project, ProjectId
from clp_core.people import PartnerId, Person, PersonId


def to_person(facts: PersonFacts) -> Person:
    """Map a person to the core's value."""
    return Person(
        id=PersonId(facts.id),
        name=facts.name,
        email=facts.email,
        partner=None if facts.partner is None else PartnerId(facts.partner),
        roles=frozenset(facts.roles),
        active=facts.active,
    )


def to_people(people: Iterable[PersonFacts]) -> dict[str, Person]:
    """Map people to the core's values, by id."""
    return {facts.id: to_person(facts) for facts in people}


def to_project(facts: ProjectFacts) -> Project:
    """Map a project to the core's value."""
    return Project(
        id=ProjectId(facts.id),
        assigned=frozenset(PartnerId(partner) for partner in facts.assigned),
        withdrawn=frozenset(PartnerId(partner) for partner in facts.withdrawn),
    )
