"""Routing: reads changes of messages, asks the core, writes who is told (rule 25).

`prepare` may call other services; `write` only writes, in the transaction that moves
the cursor. Both may run again for the same change, to the same effect.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from clp_chassis.persistence.bulk_sql import among
from clp_contracts.events import MESSAGE_EDITED, MESSAGE_POSTED
from clp_contracts.feed import Change
from clp_contracts.messages import Content
from clp_contracts.projects import Facts
from clp_core.channels import Channel
from clp_core.people import Person
from clp_core.routing import (
    Explanation,
    Occasion,
    RoutingFacts,
    explain,
    newly_mentioned,
)
from clp_notifications.dependencies import Parts
from clp_notifications.mapping import author_of, people_of, project_in, project_of
from clp_notifications.routing.notify import Told, tell
from clp_notifications.tables import RoutedMessage

ROUTED = frozenset({MESSAGE_POSTED, MESSAGE_EDITED})
ROUTED_BEFORE: Final = select(RoutedMessage).where(
    among(RoutedMessage.message, "messages")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A message with the facts that decide who is told of it."""

    content: Content
    facts: RoutingFacts


def prepare(changes: tuple[Change, ...], parts: Parts) -> Mapping[str, Prepared]:
    """The facts of the messages that changed; a deleted one tells nobody."""
    wanted = {change.subject for change in changes if change.type in ROUTED}
    if not wanted:
        return {}
    contents = [
        content
        for content in parts.callers.messages.contents(
            messages_=sorted(wanted)
        ).contents
        if not content.message.deleted
    ]
    facts = _facts_for(contents, parts)
    followers = {
        project.id: frozenset(
            people_of(
                parts.callers.projects.followers(project=project.id).people
            ).values()
        )
        for project in facts.projects
    }
    prepared = (_prepared(content, facts, followers) for content in contents)
    return {found.content.message.id: found for found in prepared if found}


def _facts_for(contents: list[Content], parts: Parts) -> Facts:
    projects = {Channel.named(content.message.channel).project for content in contents}
    people = {content.message.author.id for content in contents}
    people.update(person for content in contents for person in content.mentioned)
    if not contents:
        return Facts(projects=(), people=())
    return parts.callers.projects.facts(
        projects_=sorted(projects), people=sorted(people)
    )


def _prepared(
    content: Content, facts: Facts, followers: Mapping[str, frozenset[Person]]
) -> Prepared | None:
    channel = Channel.named(content.message.channel)
    project = project_in(facts, channel.project)
    if project is None:
        return None
    people = people_of(facts.people)
    return Prepared(
        content=content,
        facts=RoutingFacts(
            author=author_of(content.message, people),
            channel=channel,
            project=project_of(project),
            followers=followers[project.id],
            mentioned=frozenset(
                people[person] for person in content.mentioned if person in people
            ),
        ),
    )


def write(
    session: Session,
    changes: tuple[Change, ...],
    prepared: Mapping[str, Prepared],
    *,
    parts: Parts,
) -> None:
    """Write who is told, and who is not, of each message that changed."""
    at = parts.clock()
    routed = _routed_before(session, prepared)
    told: list[Told] = []
    for change in changes:
        found = prepared.get(change.subject)
        if found is not None and change.type in ROUTED:
            before = routed.get(change.subject)
            told.append(_told(found, before, change, parts=parts))
            routed[change.subject] = _routed_now(session, found, before, at=at)
    tell(session, told, parts.mail, at=at)


def _routed_before(
    session: Session, messages: Collection[str]
) -> dict[str, RoutedMessage]:
    if not messages:
        return {}
    rows = session.scalars(ROUTED_BEFORE, {"messages": messages})
    return {row.message: row for row in rows}


def _told(
    found: Prepared, before: RoutedMessage | None, change: Change, *, parts: Parts
) -> Told:
    return Told(
        message=found.content.message.id,
        number=found.content.message.number,
        channel=found.facts.channel,
        since=change.at,
        explanations=_explained(found.facts, before, parts),
        is_new=before is None,
    )


def _routed_now(
    session: Session, found: Prepared, before: RoutedMessage | None, *, at: datetime
) -> RoutedMessage:
    message = found.content.message
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


def _explained(
    facts: RoutingFacts, routed: RoutedMessage | None, parts: Parts
) -> tuple[Explanation, ...]:
    """What the core decides: on everybody, or on those an edit mentions anew."""
    if routed is None:
        return tuple(explain(facts, parts.routing).values())
    edited = RoutingFacts(
        author=facts.author,
        channel=facts.channel,
        project=facts.project,
        mentioned=newly_mentioned(json.loads(routed.mentioned), facts.mentioned),
        occasion=Occasion.EDITED,
    )
    return tuple(explain(edited, parts.routing).values())
