"""Route changed messages: decide who is told, and store it (rules 22 to 25).

A post is routed by its first text and an edit by the text that it made, however late
routing runs. `prepare` calls other services; `write` only writes, in the transaction
that moves the cursor. Both are idempotent per change.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from clp_chassis.persistence.bulk_sql import in_array, insert_rows
from clp_contracts.core_mapping import to_people, to_project
from clp_contracts.events import MESSAGE_EDITED, MESSAGE_POSTED
from clp_contracts.feed import Change
from clp_contracts.message_feed import MessageFeed
from clp_contracts.messages import StoredMessage
from clp_contracts.projects import Facts, PersonFacts
from clp_contracts.transition_reasons import TransitionReason
from clp_core.channels import Channel
from clp_core.people import Person, Robot
from clp_core.routing import (
    Explanation,
    Occasion,
    RoutingFacts,
    Trigger,
    explain,
    newly_mentioned,
)
from clp_notifications.dependencies import Dependencies
from clp_notifications.mapping import author_of, project_in
from clp_notifications.routing.notify import RoutingResult, record_notifications
from clp_notifications.states import State
from clp_notifications.tables import NOTIFICATIONS, ROUTED, RoutedMessage

ROUTED_EVENTS: Final = frozenset({MESSAGE_POSTED, MESSAGE_EDITED})
FIRST_REVISION: Final = 1
# Mentions that an edit took away before their mail was sent.
WITHDRAWN: Final = select(NOTIFICATIONS.c.message, NOTIFICATIONS.c.person).where(
    in_array(NOTIFICATIONS.c.message, "messages"),
    NOTIFICATIONS.c.state == State.SUPPRESSED.value,
    NOTIFICATIONS.c.reason == TransitionReason.MENTION_REMOVED.value,
)
LEFT: Final = select(NOTIFICATIONS.c.id).where(
    NOTIFICATIONS.c.message == bindparam("message"),
    NOTIFICATIONS.c.trigger == Trigger.MENTION.value,
    (NOTIFICATIONS.c.state == State.SENT.value)
    | NOTIFICATIONS.c.reason.in_(
        [TransitionReason.BOUNCED.value, TransitionReason.MAIL_BOUNCED.value]
    ),
)
ANY_ROUTED: Final = (
    select(ROUTED.c.message).where(in_array(ROUTED.c.message, "messages")).limit(1)
)
ROUTED_BEFORE: Final = select(RoutedMessage).where(
    in_array(RoutedMessage.message, "messages")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingInput:
    """A message with the facts that decide who is told of it.

    ``people`` are all whom a text of the message ever mentioned, by their ids.
    """

    stored: StoredMessage
    facts: RoutingFacts
    people: Mapping[str, Person]
    time_zones: Mapping[str, str]

    def mentioned_in(self, revision: int) -> frozenset[Person]:
        """Return the people whom the text of a revision tells (R4)."""
        if isinstance(self.facts.author, Robot):
            return frozenset()
        texts = {one.revision: one.mentioned for one in self.stored.history}
        ids = set(texts.get(revision, self.stored.mentioned)) - {self.facts.author.id}
        return frozenset(self.people[one] for one in ids if one in self.people)


def prepare(
    changes: tuple[Change, ...], feed: MessageFeed, deps: Dependencies
) -> Mapping[str, RoutingInput]:
    """Read the facts of the changed messages, the deleted ones included."""
    messages = feed.messages_of(
        change for change in changes if change.type in ROUTED_EVENTS
    )
    if not messages:
        return {}
    facts = _facts_for(messages, deps)
    followers = _followers_by_project(facts)
    prepared = (_input_of(stored, facts, followers) for stored in messages)
    return {found.stored.message.id: found for found in prepared if found}


def _facts_for(messages: tuple[StoredMessage, ...], deps: Dependencies) -> Facts:
    """Read the facts about all messages, and all followers, in one call."""
    projects = {Channel.named(stored.message.channel).project for stored in messages}
    people = {stored.message.author.id for stored in messages}
    people.update(person for stored in messages for person in _ever_mentioned(stored))
    return deps.clients.projects.facts(
        project_ids=sorted(projects), people=sorted(people), all_follows=True
    )


def _followers_by_project(facts: Facts) -> Mapping[str, list[PersonFacts]]:
    people = {person.id: person for person in facts.people}
    followers: dict[str, list[PersonFacts]] = {one.id: [] for one in facts.projects}
    for follow in facts.follows:
        if follow.person in people and follow.project in followers:
            followers[follow.project].append(people[follow.person])
    return followers


def _ever_mentioned(stored: StoredMessage) -> frozenset[str]:
    return frozenset(stored.mentioned).union(*(one.mentioned for one in stored.history))


def _input_of(
    stored: StoredMessage,
    facts: Facts,
    followers: Mapping[str, list[PersonFacts]],
) -> RoutingInput | None:
    channel = Channel.named(stored.message.channel)
    project = project_in(facts, channel.project)
    if project is None:
        return None
    people = to_people(facts.people)
    following = followers[project.id]
    return RoutingInput(
        stored=stored,
        people={one: people[one] for one in _ever_mentioned(stored) if one in people},
        time_zones={
            one.id: one.time_zone for one in facts.people if one.time_zone is not None
        },
        facts=RoutingFacts(
            author=author_of(stored.message, people),
            channel=channel,
            project=to_project(project),
            followers=frozenset(to_people(following).values()),
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
    batch = _Batch(session, prepared, deps)
    for change in changes:
        found = prepared.get(change.subject)
        if found is not None and change.type in ROUTED_EVENTS:
            batch.route(found, change)
    batch.finish()


class _Batch:
    """Changes that are routed together, in the order of the feed.

    Several messages are stored with the same statements, several changes of one message
    one after the other.
    """

    def __init__(
        self, session: Session, messages: Collection[str], deps: Dependencies
    ) -> None:
        self._session = session
        self._deps = deps
        self._at = deps.clock()
        self._routed = _routed_before(session, messages)
        self._withdrawn = _withdrawn(session, self._routed)
        self._results: dict[str, RoutingResult] = {}
        self._new: dict[str, RoutedMessage] = {}

    def route(self, found: RoutingInput, change: Change) -> None:
        """Route a change; the post first, where its own change is missing."""
        message = found.stored.message
        routed = self._routed.get(message.id)
        if routed is None:
            routed = self._route_post(found, change)
        if change.type == MESSAGE_EDITED:
            self._route_edit(found, routed, change)

    def flush(self) -> None:
        """Store the results."""
        results = list(self._results.values())
        record_notifications(self._session, results, self._deps.mail, at=self._at)
        self._results.clear()

    def finish(self) -> None:
        """Store the results, and which messages were routed for the first time."""
        self.flush()
        rows = [
            {column: getattr(one, column) for column in ROUTED.c.keys()}  # noqa: SIM118 - of a table
            for one in self._new.values()
        ]
        insert_rows(self._session, ROUTED, rows)

    def _route_post(self, found: RoutingInput, change: Change) -> RoutedMessage:
        message = found.stored.message
        facts = replace(
            found.facts,
            mentioned=found.mentioned_in(FIRST_REVISION),
            occasion=Occasion.DELETED if message.deleted else Occasion.POSTED,
        )
        self._add(found, change, self._explanations(facts), is_new=True)
        routed = RoutedMessage(
            message=message.id,
            channel=message.channel,
            author=message.author.id,
            mentioned=_ids(facts.mentioned),
            at=self._at,
        )
        self._routed[message.id] = self._new[message.id] = routed
        return routed

    def _route_edit(
        self, found: RoutingInput, routed: RoutedMessage, change: Change
    ) -> None:
        message = found.stored.message
        if message.id in self._results:
            self.flush()
        revision = int(change.detail.get("revision", message.revision))
        mentioned = found.mentioned_in(revision)
        before = json.loads(routed.mentioned)
        routed.mentioned = _ids(mentioned)
        if before and not mentioned and not message.deleted and self._none_left(found):
            self._add(found, change, self._explanations(found.facts))
            return
        again = {one for one in mentioned if (message.id, one.id) in self._withdrawn}
        facts = RoutingFacts(
            author=found.facts.author,
            channel=found.facts.channel,
            project=found.facts.project,
            mentioned=newly_mentioned(before, mentioned).union(again),
            occasion=Occasion.DELETED if message.deleted else Occasion.EDITED,
        )
        explanations = self._explanations(facts)
        if message.deleted:
            # What became of the author was decided with the post.
            explanations = tuple(
                one for one in explanations if one.person in facts.mentioned
            )
        self._add(found, change, explanations)

    def _none_left(self, found: RoutingInput) -> bool:
        """Whether no mail of a mention of this message was sent."""
        parameters = {"message": found.stored.message.id}
        return self._session.scalars(LEFT, parameters).first() is None

    def _explanations(self, facts: RoutingFacts) -> tuple[Explanation, ...]:
        return tuple(explain(facts, self._deps.routing).values())

    def _add(
        self,
        found: RoutingInput,
        change: Change,
        explanations: tuple[Explanation, ...],
        *,
        is_new: bool = False,
    ) -> None:
        message = found.stored.message
        self._results[message.id] = RoutingResult(
            message=message.id,
            number=message.number,
            channel=found.facts.channel,
            since=change.at,
            time_zones=found.time_zones,
            explanations=explanations,
            is_new=is_new,
        )


def _ids(people: Collection[Person]) -> str:
    return json.dumps(sorted(person.id for person in people))


def _routed_before(
    session: Session, messages: Collection[str]
) -> dict[str, RoutedMessage]:
    if not messages:
        return {}
    # A post finds nothing, and the mapper takes longer than the database to say so.
    if session.scalar(ANY_ROUTED, {"messages": messages}) is None:
        return {}
    rows = session.scalars(ROUTED_BEFORE, {"messages": messages})
    return {row.message: row for row in rows}


def _withdrawn(session: Session, edited: Collection[str]) -> frozenset[tuple[str, str]]:
    """Messages and people whose mention was withdrawn before it was mailed."""
    if not edited:
        return frozenset()
    rows = session.execute(WITHDRAWN, {"messages": edited})
    return frozenset((row.message, row.person) for row in rows)
