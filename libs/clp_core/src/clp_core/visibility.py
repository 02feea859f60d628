"""Reading, following and posting: table of section 2, rules 5 to 8."""

from collections.abc import Iterable
from typing import Final

from clp_core.channels import Channel, ChannelKind, Project
from clp_core.decisions import ALLOWED, Decision, Reason
from clp_core.people import (
    PUBLISHED_ACCESS,
    AccessPolicy,
    Author,
    Person,
    Robot,
    Side,
    has_portal_access,
)

MISSING: Final = Decision(Reason.CHANNEL_MISSING)
PROJECT_MISSING: Final = Decision(Reason.PROJECT_MISSING)
BROADCAST_INTERNAL_ONLY: Final = Decision(Reason.BROADCAST_INTERNAL_ONLY)


def may_read(
    reader: Author,
    channel: Channel,
    project: Project,
    *,
    access: AccessPolicy = PUBLISHED_ACCESS,
) -> Decision:
    """Internal people read all; a partner reads broadcasts and its own direct channel.

    Rows 1 to 5 of the table of section 2; a partner withdrawn reads nothing (rule 7). A
    hidden channel and a missing one get the same decision (rule 5).

    >>> p1 = Project(id="p1", assigned=frozenset({"north", "south"}))
    >>> roles = frozenset({"dub_portal_user"})
    >>> nat = Person(id="nat", name="Nat", email="", partner="north", roles=roles)
    >>> may_read(nat, Channel("p1", "north"), p1)
    Decision(reason=Reason.ALLOWED)
    >>> may_read(nat, Channel("p1", "south"), p1)
    Decision(reason=Reason.CHANNEL_MISSING)
    >>> may_read(nat, Channel("p1", "nobody"), p1)
    Decision(reason=Reason.CHANNEL_MISSING)
    """
    if isinstance(reader, Robot) or not has_portal_access(reader, access):
        return MISSING
    return _reading_with_access(reader, channel, project)


def judge_reading(
    reader: Author,
    channels: Iterable[Channel],
    project: Project,
    *,
    access: AccessPolicy = PUBLISHED_ACCESS,
) -> tuple[Decision, ...]:
    """Apply `may_read` to each channel, in their order; portal access is judged once.

    For the table of section 2 and rules 5 and 7; one decision for each channel.
    """
    if isinstance(reader, Robot) or not has_portal_access(reader, access):
        return tuple(MISSING for _ in channels)
    return tuple(_reading_with_access(reader, c, project) for c in channels)


def judge_readers(
    readers: Iterable[Person],
    channel: Channel,
    project: Project,
    *,
    access: AccessPolicy = PUBLISHED_ACCESS,
) -> tuple[Decision, ...]:
    """Apply `may_read` to each person, in their order; the channel is judged once.

    For rules 7, 18 and 23; one decision for each person.
    """
    if not channel_exists(channel, project):
        return tuple(MISSING for _ in readers)
    return tuple(
        [
            _reading_of_existing(reader, channel, project)
            if has_portal_access(reader, access)
            else MISSING
            for reader in readers
        ]
    )


def may_post(
    author: Author,
    channel: Channel,
    project: Project,
    *,
    access: AccessPolicy = PUBLISHED_ACCESS,
) -> Decision:
    """Readers may post, except partners in a broadcast (table of section 2).

    The robot posts broadcasts and nothing else (rule 3). Where somebody may not read,
    the refusal is that of a missing channel (rule 5).

    >>> p1 = Project(id="p1", assigned=frozenset({"north"}))
    >>> roles = frozenset({"dub_portal_user"})
    >>> nat = Person(id="nat", name="Nat", email="", partner="north", roles=roles)
    >>> may_post(nat, Channel("p1"), p1)
    Decision(reason=Reason.BROADCAST_INTERNAL_ONLY)
    """
    if isinstance(author, Robot):
        in_place = channel.kind is ChannelKind.BROADCAST
        return ALLOWED if in_place and channel_exists(channel, project) else MISSING
    if not (reading := may_read(author, channel, project, access=access)):
        return reading
    if channel.kind is ChannelKind.BROADCAST and author.side is Side.EXTERNAL:
        return BROADCAST_INTERNAL_ONLY
    return ALLOWED


def may_follow(
    person: Author, project: Project, access: AccessPolicy = PUBLISHED_ACCESS
) -> Decision:
    """Anybody who may read a project's broadcast may follow it (rule 8).

    A project that is hidden from the person is refused as a missing one (rule 5).
    """
    reading = may_read(person, Channel(project.id), project, access=access)
    return ALLOWED if reading else PROJECT_MISSING


def channel_exists(channel: Channel, project: Project) -> bool:
    """The channel of a withdrawn partner exists: it holds the history (rule 7)."""
    if channel.project != project.id:
        return False
    partner = channel.partner
    return (
        partner is None or partner in project.assigned or partner in project.withdrawn
    )


def channels_of(project: Project) -> tuple[Channel, ...]:
    """List the broadcast, then the direct channels by partner id (section 2).

    Those of withdrawn partners are among them: they hold the history (rule 7).

    >>> [channel.name for channel in channels_of(Project(id="p1"))]
    ['p1/broadcast']
    """
    partners = sorted(project.assigned | project.withdrawn)
    return (
        Channel(project.id),
        *(Channel(project.id, partner) for partner in partners),
    )


def channels_readable_by(
    reader: Author, project: Project, access: AccessPolicy = PUBLISHED_ACCESS
) -> tuple[Channel, ...]:
    """List the channels of a project that this person may read (table of section 2).

    In the order of `channels_of`; none for somebody without access, and for the robot.

    >>> p1 = Project(id="p1", assigned=frozenset({"north", "south"}))
    >>> roles = frozenset({"dub_portal_user"})
    >>> nat = Person(id="nat", name="Nat", email="", partner="north", roles=roles)
    >>> [channel.name for channel in channels_readable_by(nat, p1)]
    ['p1/broadcast', 'p1/direct/north']
    """
    channels = channels_of(project)
    readings = judge_reading(reader, channels, project, access=access)
    return tuple(c for c, reading in zip(channels, readings, strict=True) if reading)


def _reading_with_access(
    reader: Person, channel: Channel, project: Project
) -> Decision:
    if not channel_exists(channel, project):
        return MISSING
    return _reading_of_existing(reader, channel, project)


def _reading_of_existing(
    reader: Person, channel: Channel, project: Project
) -> Decision:
    """Apply the table of section 2, given access and an existing channel."""
    partner = reader.partner
    if partner is None:
        return ALLOWED
    # A withdrawn partner reads nothing, its own channel included (rule 7).
    if partner not in project.assigned:
        return MISSING
    return ALLOWED if channel.partner is None or channel.partner == partner else MISSING
