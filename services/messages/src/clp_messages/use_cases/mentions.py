"""Resolve the mentions of a text and suggest people to mention (rules 14 to 20)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from clp_chassis.persistence.bulk_sql import batched
from clp_chassis.security.passports import Passport
from clp_contracts.core_mapping import to_people
from clp_contracts.messages import Candidate, GetMentionable, Mention, Mentionable
from clp_core.channels import Channel, ChannelKind, Project
from clp_core.decisions import ALLOWED, Decision
from clp_core.mentions import (
    MentionOutcome,
    Outcome,
    StoredMark,
    lookup_keys_in,
    mentionable_people,
    prefix_rank,
    resolve_mentions,
)
from clp_core.people import Person
from clp_messages.dependencies import Dependencies
from clp_messages.use_cases.authorization import author_in, channel_named

MAX_CANDIDATES: Final = 20
# No name or address is longer, so no longer prefix can match.
MAX_TYPED_LENGTH: Final = 320
KEYS_PER_CALL: Final = 5000
MARKED: Final = frozenset({Outcome.MENTIONED, Outcome.DUPLICATE})


@dataclass(frozen=True, slots=True, kw_only=True)
class MentionContext:
    """The author of a text and where it is posted; decides the candidates (rule 18)."""

    author: Person
    channel: Channel
    project: Project


@dataclass(frozen=True, slots=True)
class Mentions:
    """The outcome of each handle, the people mentioned, and whether it is allowed."""

    outcomes: tuple[Mention, ...] = ()
    people: tuple[str, ...] = ()
    marks: tuple[StoredMark, ...] = ()
    decision: Decision = ALLOWED


NO_MENTIONS: Final = Mentions()


def mentions_in(text: str, context: MentionContext, deps: Dependencies) -> Mentions:
    """Resolve the mentions of a text as its author means them now.

    Only the owners of keys that occur in the text are looked up, and only among the
    people whom the author may see here (rule 18): the rest costs no time either (T33).
    """
    owners: dict[str, Person] = {}
    for keys in batched(sorted(lookup_keys_in(text)), KEYS_PER_CALL):
        response = deps.clients.projects.people_by_handle(
            lookup_keys=keys,
            partner=context.channel.partner,
            everybody=context.channel.kind is ChannelKind.BROADCAST,
        )
        owners.update(to_people(response.people))
    resolved = resolve_mentions(
        text,
        author=context.author,
        channel=context.channel,
        project=context.project,
        owners=owners.values(),
    )
    return Mentions(
        outcomes=tuple(_mention_view(outcome) for outcome in resolved.outcomes),
        people=tuple(sorted(person.id for person in resolved.people)),
        marks=stored_marks(resolved.outcomes),
        decision=resolved.decision,
    )


def stored_marks(outcomes: Iterable[MentionOutcome]) -> tuple[StoredMark, ...]:
    """Return the spans that mention a person, with that person's partner now.

    A handle that means its author mentions nobody and is no mark.
    """
    return tuple(
        StoredMark(found.span, found.person.id, found.person.partner)
        for found in outcomes
        if found.person is not None and found.outcome in MARKED
    )


def _mention_view(outcome: MentionOutcome) -> Mention:
    return Mention(
        start=outcome.span.start,
        end=outcome.span.end,
        handle=outcome.handle,
        outcome=outcome.outcome.value,
        person=None if outcome.person is None else outcome.person.id,
        candidates=tuple(_candidate(person) for person in outcome.candidates),
    )


def _candidate(person: Person) -> Candidate:
    return Candidate(id=person.id, name=person.name, email=person.email)


def mentionable(
    request: GetMentionable, *, actor: Passport, deps: Dependencies
) -> Mentionable:
    """Suggest people whom the actor may mention here and whose name or address matches.

    Raises:
        Refused: ``channel.missing`` or ``broadcast.internal_only``.
    """
    channel = channel_named(request.channel)
    author, project = author_in(channel, actor, deps)
    limit = min(request.limit, MAX_CANDIDATES)
    if limit < 1 or len(request.typed) > MAX_TYPED_LENGTH:
        return Mentionable(people=())
    response = deps.clients.projects.suggest_people(
        typed=request.typed,
        project=channel.project,
        partner=channel.partner,
        everybody=channel.kind is ChannelKind.BROADCAST,
        # One more, because the actor may be among them.
        limit=limit + 1,
    )
    ranked = sorted(
        (rank, person.id, person)
        for person in mentionable_people(
            to_people(response.people).values(),
            author=author,
            channel=channel,
            project=project,
        )
        if person.id != author.id
        and (rank := prefix_rank(person, request.typed)) is not None
    )
    return Mentionable(
        people=tuple(_candidate(person) for *_, person in ranked[:limit])
    )
