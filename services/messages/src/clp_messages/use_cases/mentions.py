"""Whom a text mentions, and whom its author could (rules 14 to 20)."""

from dataclasses import dataclass
from typing import Final

from clp_chassis.persistence.bulk_sql import chunks
from clp_chassis.security.passports import Passport
from clp_contracts.messages import AskMentionable, Candidate, Mention, Mentionable
from clp_core.channels import Channel, ChannelKind, Project
from clp_core.decisions import ALLOWED, Decision
from clp_core.mentions import (
    MentionOutcome,
    candidates_for,
    keys_worth_looking_up,
    outcomes_in,
    prefix_rank,
)
from clp_core.people import Author, Person
from clp_messages.dependencies import Parts
from clp_messages.mapping import core_people
from clp_messages.use_cases.authorization import author_in, channel_named

MOST_CANDIDATES: Final = 20
# Nobody's name or address is longer, so nothing longer begins one.
LONGEST_TYPED: Final = 320
KEYS_AT_ONCE: Final = 5000

Place = tuple[Author, Channel, Project]


@dataclass(frozen=True, slots=True)
class Mentions:
    """What became of each handle, who is mentioned, and whether that is too many."""

    outcomes: tuple[Mention, ...] = ()
    people: tuple[str, ...] = ()
    decision: Decision = ALLOWED


NO_MENTIONS: Final = Mentions()


def mentions_in(text: str, place: Place, parts: Parts) -> Mentions:
    """The mentions of a text as its author means them, here and now.

    Only the owners of what stands in the text are asked for, and only if there is
    anything; the robot's texts mention nobody (rule 3).
    """
    author, channel, project = place
    if not isinstance(author, Person):
        return NO_MENTIONS
    owners: dict[str, Person] = {}
    for keys in chunks(sorted(keys_worth_looking_up(text)), KEYS_AT_ONCE):
        owners.update(core_people(parts.callers.projects.owners(keys=keys).people))
    found = outcomes_in(
        text, author=author, channel=channel, project=project, owners=owners.values()
    )
    return Mentions(
        outcomes=tuple(_shown(outcome) for outcome in found.outcomes),
        people=tuple(sorted(person.id for person in found.people)),
        decision=found.decision,
    )


def _shown(found: MentionOutcome) -> Mention:
    return Mention(
        start=found.span.start,
        end=found.span.end,
        handle=found.handle,
        outcome=found.outcome.value,
        person=None if found.person is None else found.person.id,
        candidates=tuple(_candidate(person) for person in found.candidates),
    )


def _candidate(person: Person) -> Candidate:
    return Candidate(id=person.id, name=person.name, email=person.email)


def mentionable(ask: AskMentionable, *, actor: Passport, parts: Parts) -> Mentionable:
    """People whom the actor may mention here and who begin with what was typed."""
    channel = channel_named(ask.channel)
    author, project = author_in(channel, actor, parts, at_once=True)
    limit = min(ask.limit, MOST_CANDIDATES)
    if limit < 1 or len(ask.typed) > LONGEST_TYPED:
        return Mentionable(people=())
    like = parts.callers.projects.people_like(
        typed=ask.typed,
        project=channel.project,
        partner=channel.partner,
        everybody=channel.kind is ChannelKind.BROADCAST,
        # One more, because the actor may be among them.
        limit=limit + 1,
    )
    ranked = sorted(
        (rank, person.id, person)
        for person in candidates_for(
            core_people(like.people).values(),
            author=author,
            channel=channel,
            project=project,
        )
        if person.id != author.id
        and (rank := prefix_rank(person, ask.typed)) is not None
    )
    return Mentionable(
        people=tuple(_candidate(person) for *_, person in ranked[:limit])
    )
