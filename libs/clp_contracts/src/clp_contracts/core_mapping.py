"""Map facts of the contracts to the values of `clp_core`.

Only this module imports the core; install it with the extra ``clp-contracts[core]``.
"""

from collections.abc import Iterable

from clp_contracts.messages import Candidate, Mention
from clp_contracts.projects import PersonFacts, ProjectFacts
from clp_core.channels import Project, ProjectId
from clp_core.mentions import MentionOutcome
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


def to_candidate(person: Person) -> Candidate:
    """Map a person to a candidate of a mention."""
    return Candidate(id=person.id, name=person.name, email=person.email)


def to_mention(outcome: MentionOutcome) -> Mention:
    """Map the outcome of a handle to the contract (rule 19)."""
    return Mention(
        start=outcome.span.start,
        end=outcome.span.end,
        handle=outcome.handle,
        outcome=outcome.outcome.value,
        person=None if outcome.person is None else outcome.person.id,
        candidates=tuple(to_candidate(person) for person in outcome.candidates),
    )
