"""Facts and messages as they travel, as the rules and the engine take them."""

from clp_contracts.messages import Content
from clp_contracts.projects import Facts, PersonFacts, ProjectFacts
from clp_core.channels import Channel, Project, ProjectId
from clp_core.people import PartnerId, Person, PersonId
from clp_core.visibility import channels_readable_by
from clp_search.engine import Document


def readable_channels(told: Facts) -> frozenset[str]:
    """The channels that the one person may read of the one project; none of neither."""
    if not told.people or not told.projects:
        return frozenset()
    person, project = _person(told.people[0]), _project(told.projects[0])
    return frozenset(c.name for c in channels_readable_by(person, project))


def document_of(content: Content) -> Document:
    """A message as it is found; a deleted one keeps nothing to find it by."""
    message = content.message
    kept = not message.deleted
    files = message.attachments if kept else ()
    return Document(
        message=message.id,
        revision=message.revision,
        project=Channel.named(message.channel).project,
        channel=message.channel,
        number=message.number,
        author=message.author.id,
        author_name=message.author.name,
        posted_at=message.posted_at,
        text=message.text if kept else "",
        attachments=tuple(file.name for file in files),
        deleted=message.deleted,
    )


def _person(facts: PersonFacts) -> Person:
    return Person(
        id=PersonId(facts.id),
        name=facts.name,
        email=facts.email,
        partner=None if facts.partner is None else PartnerId(facts.partner),
        roles=frozenset(facts.roles),
        active=facts.active,
    )


def _project(facts: ProjectFacts) -> Project:
    return Project(
        id=ProjectId(facts.id),
        assigned=frozenset(PartnerId(partner) for partner in facts.assigned),
        withdrawn=frozenset(PartnerId(partner) for partner in facts.withdrawn),
    )
