"""Map facts and messages of the contracts to the values of the rules and the engine."""

from dataclasses import dataclass
from datetime import UTC, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from clp_contracts.core_mapping import to_person, to_project
from clp_contracts.messages import StoredMessage
from clp_contracts.projects import Facts, PersonFacts
from clp_core.channels import Channel
from clp_core.visibility import channels_readable_by
from clp_search.engine import Document


def readable_channels(facts: Facts) -> frozenset[str]:
    """Return the channels that this person may read of this project."""
    if not facts.people or not facts.projects:
        return frozenset()
    person, project = to_person(facts.people[0]), to_project(facts.projects[0])
    return frozenset(c.name for c in channels_readable_by(person, project))


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """The scope of a search: channels of a project, and the reader's time zone.

    ``partner`` is None for internal people. ``group`` is whom the person shares a place
    in the queue of searches with.
    """

    project: str
    channels: frozenset[str]
    partner: str | None
    group: str
    zone: tzinfo


def access_of(person: PersonFacts, project: str, channels: frozenset[str]) -> Access:
    """Return what a person may search."""
    return Access(
        project=project,
        channels=channels,
        partner=person.partner,
        group=f"person {person.id}"
        if person.partner is None
        else f"partner {person.partner}",
        zone=_zone(person.time_zone),
    )


@lru_cache(maxsize=1_000)
def _zone(name: str | None) -> tzinfo:
    try:
        return ZoneInfo(name) if name else UTC
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def document_of(content: StoredMessage) -> Document:
    """Map a message to a document; a deleted one keeps no searchable content."""
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
