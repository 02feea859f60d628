"""Route changed messages: decide who is told, and store it (rules 22 to 25).

`prepare` calls other services; `write` only writes, in the transaction that moves the
cursor. Both are idempotent per change.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from clp_chassis.persistence.bulk_sql import in_array
from clp_contracts.core_mapping import to_people, to_project
from clp_contracts.events import MESSAGE_EDITED, MESSAGE_POSTED
from clp_contracts.feed import Change
from clp_contracts.messages import StoredMessage
from clp_contracts.projects import Facts, PersonFacts
from clp_core.channels import Channel
from clp_core.people import Person
from clp_core.routing import (
    Explanation,
    Occasion,
    RoutingFacts,
    explain,
    newly_mentioned,
)
from clp_notifications.dependencies import Dependencies
from clp_notifications.mapping import author_of, project_in
from clp_notifications.routing.notify import RoutingResult, record_notifications
from clp_notifications.states import State, TransitionReason
from clp_notifications.tables import NOTIFICATIONS, RoutedMessage

ROUTED = frozenset({MESSAGE_POSTED, MESSAGE_EDITED})
# Mentions that an edit took away before their mail was sent.
WITHDRAWN: Final = select(NOTIFICATIONS.c.message, NOTIFICATIONS.c.person).where(
    in_array(NOTIFICATIONS.c.message, "messages"),
    NOTIFICATIONS.c.state == State.SUPPRESSED.value,
    NOTIFICATIONS.c.reason == TransitionReason.MENTION_REMOVED.value,
)
ROUTED_BEFORE: Final = select(RoutedMessage).where(
    in_array(RoutedMessage.message, "messages")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingInput:
    """A message with the facts that decide who is told of it."""

    stored: StoredMessage
    facts: RoutingFacts
    time_zones: Mapping[str, str]


def prepare(
    changes: tuple[Change, ...], deps: Dependencies
) -> Mapping[str, RoutingInput]:
    """Read the facts of the changed messages, without deleted ones."""
    ids = {change.subject for change in changes if change.type in ROUTED}
    if not ids:
        return {}
    messages = [
        stored
        for stored in deps.clients.messages.get_messages(
            message_ids=sorted(ids)
        ).messages
        if not stored.message.deleted
    ]
    facts = _facts_for(messages, deps)
    followers = {
        project.id: deps.clients.projects.followers(project=project.id).people
        for project in facts.projects
    }
    prepared = (_input_of(stored, facts, followers) for stored in messages)
    return {found.stored.message.id: found for found in prepared if found}


def _facts_for(messages: list[StoredMessage], deps: Dependencies) -> Facts:
    projects = {Channel.named(stored.message.channel).project for stored in messages}
    people = {stored.message.author.id for stored in messages}
    people.update(person for stored in messages for person in stored.mentioned)
    if not messages:
        return Facts(projects=(), people=())
    return deps.clients.projects.facts(
        project_ids=sorted(projects), people=sorted(people)
    )


def _input_of(
    stored: StoredMessage,
    facts: Facts,
    followers: Mapping[str, tuple[PersonFacts, ...]],
) -> RoutingInput | None:
    channel = Channel.named(stored.message.channel)
    project = project_in(facts, channel.project)
    if project is None:
        return None
    people = to_people(facts.people)
    following = followers[project.id]
    return RoutingInput(
        stored=stored,
        time_zones={
            one.id: one.time_zone
            for one in (*facts.people, *following)
            if one.time_zone is not None
        },
        facts=RoutingFacts(
            author=author_of(stored.message, people),
            channel=channel,
            project=to_project(project),
            followers=frozenset(to_people(following).values()),
            mentioned=frozenset(
                people[person] for person in stored.mentioned if person in people
            ),
        ),
    )


def write(
    session: Session,
    changes: tuple[Change, ...],
    prepared: Mapping[str, RoutingInput],
    *,
    deps: Dependencies,
) -> None:
    """Store who is told and who is not, of each changed message."""
    at = deps.clock()
    routed = _routed_before(session, prepared)
    withdrawn = _withdrawn(session, routed)
    results: list[RoutingResult] = []
    for change in changes:
        found = prepared.get(change.subject)
        if found is not None and change.type in ROUTED:
            before = routed.get(change.subject)
            results.append(
                _result_of(found, before, change, withdrawn=withdrawn, deps=deps)
            )
            routed[change.subject] = _store_routed(session, found, before, at=at)
    record_notifications(session, results, deps.mail, at=at)


def _routed_before(
    session: Session, messages: Collection[str]
) -> dict[str, RoutedMessage]:
    if not messages:
        return {}
    rows = session.scalars(ROUTED_BEFORE, {"messages": messages})
    return {row.message: row for row in rows}


def _result_of(
    found: RoutingInput,
    before: RoutedMessage | None,
    change: Change,
    *,
    withdrawn: Collection[tuple[str, str]],
    deps: Dependencies,
) -> RoutingResult:
    message = found.stored.message.id
    again = {
        person for person in found.facts.mentioned if (message, person.id) in withdrawn
    }
    return RoutingResult(
        message=message,
        number=found.stored.message.number,
        channel=found.facts.channel,
        since=change.at,
        time_zones=found.time_zones,
        explanations=_explanations_of(found.facts, before, again, deps=deps),
        is_new=before is None,
    )


def _store_routed(
    session: Session, found: RoutingInput, before: RoutedMessage | None, *, at: datetime
) -> RoutedMessage:
    message = found.stored.message
    mentioned = json.dumps(sorted(person.id for person in found.facts.mentioned))
    if before is not None:
        before.mentioned = mentioned
        return before
    routed = RoutedMessage(
        message=message.id,
        channel=message.channel,
        author=message.author.id,
        mentioned=mentioned,
        at=at,
    )
    session.add(routed)
    return routed


def _withdrawn(session: Session, edited: Collection[str]) -> frozenset[tuple[str, str]]:
    """Messages and people whose mention was withdrawn before it was mailed."""
    if not edited:
        return frozenset()
    rows = session.execute(WITHDRAWN, {"messages": edited})
    return frozenset((row.message, row.person) for row in rows)


def _explanations_of(
    facts: RoutingFacts,
    routed: RoutedMessage | None,
    again: Collection[Person],
    *,
    deps: Dependencies,
) -> tuple[Explanation, ...]:
    """Decide on everybody, or after an edit on those whom it mentions anew or again.

    The mail of a mention that is gone may be withdrawn before the edit is routed.
    """
    if routed is None:
        return tuple(explain(facts, deps.routing).values())
    edited = RoutingFacts(
        author=facts.author,
        channel=facts.channel,
        project=facts.project,
        mentioned=newly_mentioned(json.loads(routed.mentioned), facts.mentioned).union(
            again
        ),
        occasion=Occasion.EDITED,
    )
    return tuple(explain(edited, deps.routing).values())
