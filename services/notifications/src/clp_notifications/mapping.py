"""Map facts and messages of the contracts to values of the core."""

from dataclasses import replace

from clp_contracts.core_mapping import to_person
from clp_contracts.messages import Message
from clp_contracts.projects import Facts, ProjectFacts
from clp_core.channels import Channel
from clp_core.people import ROBOT, Author, Person, PersonId, Side


def project_in(facts: Facts, project: str) -> ProjectFacts | None:
    """Return the facts of a project, or None if it is missing."""
    return next((found for found in facts.projects if found.id == project), None)


def person_in(facts: Facts, person: str) -> Person | None:
    """Return a person, or None if they are missing."""
    found = next((found for found in facts.people if found.id == person), None)
    return None if found is None else to_person(found)


def author_of(message: Message, people: dict[str, Person]) -> Author:
    """Return the author of a message, on the side of the moment of posting (rule 22).

    An author whose record is gone is rebuilt.
    """
    author = message.author
    if author.id == ROBOT.id:
        return ROBOT
    partner = None
    if author.side == Side.EXTERNAL:
        # External authors post in direct channels only, as people of that partner.
        partner = Channel.named(message.channel).partner
    if author.id in people:
        return replace(people[author.id], partner=partner)
    return Person(
        id=PersonId(author.id),
        name=author.name,
        email="",
        partner=partner,
        active=False,
    )


def partner_name(channel: Channel, project: ProjectFacts) -> str | None:
    """Return the partner name of a direct channel, or None for the broadcast."""
    if channel.partner is None:
        return None
    names = {partner.id: partner.name for partner in project.partners}
    return names.get(channel.partner, channel.partner)
