"""Unread counts, read markers and the first unread message (rules 31 and 32)."""

from collections.abc import Iterable, Mapping

from clp_core.channels import Channel, Project
from clp_core.messages import MessageFacts
from clp_core.people import PUBLISHED_ACCESS, AccessPolicy, Person, PersonId
from clp_core.visibility import may_read


def is_unread(message: MessageFacts, reader: PersonId, marker: int) -> bool:
    """After the read marker, by somebody else, and not deleted (rule 31).

    `marker` is the number of the last message that was read, 0 before the first.
    """
    return message.number > marker and message.author != reader and not message.deleted


def unread_count(
    messages: Iterable[MessageFacts], reader: PersonId, marker: int
) -> int:
    """Count the unread messages of one channel (rule 31).

    >>> north = Channel("p1", "north")
    >>> history = [
    ...     MessageFacts(channel=north, number=1, author="ivy"),
    ...     MessageFacts(channel=north, number=2, author="nat"),
    ...     MessageFacts(channel=north, number=3, author="ivy"),
    ... ]
    >>> unread_count(history, "nat", marker=0), first_unread(history, "nat", marker=1)
    (2, 3)
    """
    return sum(is_unread(message, reader, marker) for message in messages)


def first_unread(
    messages: Iterable[MessageFacts], reader: PersonId, marker: int
) -> int | None:
    """The number of the first unread message of a channel, None without (rule 32)."""
    numbers = (m.number for m in messages if is_unread(m, reader, marker))
    return min(numbers, default=None)


def advance_marker(old: int, new: int) -> int:
    """A marker only moves forward (rule 31).

    >>> advance_marker(5, 3), advance_marker(5, 8)
    (5, 8)
    """
    return max(old, new)


def project_unread_count(
    counts: Mapping[Channel, int],
    reader: Person,
    project: Project,
    *,
    access: AccessPolicy = PUBLISHED_ACCESS,
) -> int:
    """Sum the counts of the channels that the person may read now (rule 31).

    `counts` may hold channels that are hidden from the person; they count nothing.
    """
    return sum(
        count
        for channel, count in counts.items()
        if may_read(reader, channel, project, access=access)
    )
