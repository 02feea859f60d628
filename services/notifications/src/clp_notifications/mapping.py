"""What other services tell, and rows, as values of the rules."""

from collections.abc import Iterable

from clp_contracts.messages import Message
from clp_contracts.projects import Facts, PersonFacts, ProjectFacts
from clp_core.channels import Channel, Project, ProjectId
from clp_core.people import ROBOT, Author, PartnerId, Person, PersonId, Side


def person_of(facts: PersonFacts) -> Person:
    """A person as the rules know them."""
    return Person(
        id=PersonId(facts.id),
        name=facts.name,
        email=facts.email,
        partner=None if facts.partner is None else PartnerId(facts.partner),
        roles=frozenset(facts.roles),
        active=facts.active,
    )


def people_of(facts: Iterable[PersonFacts]) -> dict[str, Person]:
    """People by id."""
    return {person.id: person_of(person) for person in facts}


def project_of(facts: ProjectFacts) -> Project:
    """A project as the rules know it."""
    return Project(
        id=ProjectId(facts.id),
        assigned=frozenset(map(PartnerId, facts.assigned)),
        withdrawn=frozenset(map(PartnerId, facts.withdrawn)),
    )


def project_in(facts: Facts, project: str) -> ProjectFacts | None:
    """The facts of one project, if there is such a project."""
    return next((found for found in facts.projects if found.id == project), None)


def person_in(facts: Facts, person: str) -> Person | None:
    """One person, if there is such a person."""
    found = next((found for found in facts.people if found.id == person), None)
    return None if found is None else person_of(found)


def author_of(message: Message, people: dict[str, Person]) -> Author:
    """The author of a message; one who is gone has written it all the same."""
    author = message.author
    if author.id == ROBOT.id:
        return ROBOT
    if author.id in people:
        return people[author.id]
    # Only a direct channel has external authors, and they are of its partner.
    partner = Channel.named(message.channel).partner
    return Person(
        id=PersonId(author.id),
        name=author.name,
        email="",
        partner=partner if author.side == Side.EXTERNAL else None,
        active=False,
    )


def partner_name(channel: Channel, project: ProjectFacts) -> str | None:
    """The name of the partner of a direct channel, none for the broadcast."""
    if channel.partner is None:
        return None
    names = {partner.id: partner.name for partner in project.partners}
    return names.get(channel.partner, channel.partner)
