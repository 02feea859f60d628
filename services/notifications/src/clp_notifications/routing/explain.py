"""Why somebody was or was not told of a message, and what became of it (rule 25)."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from clp_chassis.persistence.bulk_sql import chunks
from clp_chassis.security.passports import Passport
from clp_contracts import notifications as contract
from clp_contracts.errors import Refused
from clp_contracts.methods import PassportKind
from clp_core.channels import Channel
from clp_core.people import Side
from clp_core.routing import SENTENCES as ROUTING_SENTENCES
from clp_core.routing import RoutingReason
from clp_core.visibility import may_read
from clp_notifications import explanations
from clp_notifications.dependencies import Parts
from clp_notifications.mapping import person_in, project_in, project_of
from clp_notifications.states import Because, MailMode, State
from clp_notifications.tables import Mail, Notification, Outcome, RoutedMessage, Step
from clp_notifications.transitions import modes_of


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asker:
    """Who asks, and whom they may hear about; ``wanted`` None is everybody."""

    message: str
    channel: Channel
    author: str
    wanted: str | None
    actor: Passport

    def sees_choices_of(self, person: str) -> bool:
        """Whether they may know what the person read and chose (rule 31)."""
        return self.actor.kind is PassportKind.SERVICE or self.actor.subject == person


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What is known of the message beside the rows about each person."""

    routed: RoutedMessage | None
    modes: Mapping[str, MailMode]

    def mentions(self, person: str) -> bool:
        return self.routed is not None and person in json.loads(self.routed.mentioned)


def explain(
    ask: contract.AskExplain, *, actor: Passport, parts: Parts
) -> contract.Explained:
    """Everybody's story to the studio and to services; one's own to a partner's person.

    What a person read and chose is told to that person and to services only.

    Raises:
        Refused: ``message.missing``, also for what the actor may not know.
    """
    asker = _asker(ask, actor, parts)
    with parts.database.reading() as session:
        told = _notifications(session, asker)
        untold = _outcomes(session, asker)
        people = sorted(
            {notification.person for notification, _ in told} | untold.keys()
        )
        known = _Known(
            routed=session.get(RoutedMessage, ask.message),
            modes=modes_of(session, people, asker.channel.project),
        )
        steps = _steps(session, [notification.id for notification, _ in told])
    explained = {
        person: _not_told(person, outcome, asker, known=known)
        for person, outcome in untold.items()
    }
    for row in told:
        notification, _ = row
        passed = steps.get(notification.id, [])
        explained[notification.person] = _told(row, passed, asker, known=known)
    if asker.wanted is not None and asker.wanted not in explained:
        explained[asker.wanted] = _unconcerned(asker.wanted, asker, known)
    return contract.Explained(
        message=ask.message, people=tuple(explained[one] for one in sorted(explained))
    )


def _asker(ask: contract.AskExplain, actor: Passport, parts: Parts) -> _Asker:
    contents = parts.callers.messages.contents(messages_=(ask.message,)).contents
    if not contents:
        raise Refused("message.missing")
    message = contents[0].message
    channel = Channel.named(message.channel)
    return _Asker(
        message=ask.message,
        channel=channel,
        author=message.author.id,
        wanted=_whom(ask, channel, actor, parts=parts),
        actor=actor,
    )


def _whom(
    ask: contract.AskExplain, channel: Channel, actor: Passport, *, parts: Parts
) -> str | None:
    """The person to explain, or None for everybody."""
    if actor.kind is PassportKind.SERVICE:
        return ask.person
    facts = parts.callers.projects.facts(
        projects_=(channel.project,), people=(actor.subject,)
    )
    reader, project = (
        person_in(facts, actor.subject),
        project_in(facts, channel.project),
    )
    if reader is None or project is None:
        raise Refused("message.missing")
    if not may_read(reader, channel, project_of(project)):
        raise Refused("message.missing")
    if reader.side is Side.INTERNAL:
        return ask.person
    if ask.person not in (None, actor.subject):
        raise Refused("message.missing")
    return actor.subject


def _notifications(session: Session, asker: _Asker) -> list[tuple[Notification, Mail]]:
    asked = (
        select(Notification, Mail)
        .join(Mail, Mail.id == Notification.mail)
        .where(Notification.message == asker.message)
    )
    if asker.wanted is not None:
        asked = asked.where(Notification.person == asker.wanted)
    return [(row.Notification, row.Mail) for row in session.execute(asked)]


def _outcomes(session: Session, asker: _Asker) -> Mapping[str, Outcome]:
    asked = select(Outcome).where(Outcome.message == asker.message)
    if asker.wanted is not None:
        asked = asked.where(Outcome.person == asker.wanted)
    return {row.person: row for row in session.scalars(asked)}


def _steps(session: Session, notifications: Iterable[str]) -> Mapping[str, list[Step]]:
    found: dict[str, list[Step]] = {}
    for chunk in chunks(notifications):
        rows = session.scalars(
            select(Step).where(Step.notification.in_(chunk)).order_by(Step.id)
        )
        for row in rows:
            found.setdefault(row.notification, []).append(row)
    return found


def _told(
    row: tuple[Notification, Mail],
    steps: list[Step],
    asker: _Asker,
    *,
    known: _Known,
) -> contract.PersonExplained:
    notification, mail = row
    sees_choices = asker.sees_choices_of(notification.person)
    shown = [_shown_step(step, sees_choices=sees_choices) for step in steps]
    routing = ROUTING_SENTENCES[RoutingReason(notification.routing_reason)]
    facts = _facts(notification.person, asker, known)
    if notification.state == State.DUE and mail.due_at is not None:
        facts = (*facts, explanations.leaves_at(mail.kind, mail.due_at))
    return contract.PersonExplained(
        person=notification.person,
        told=True,
        trigger=notification.trigger,
        rule=notification.rule,
        reason=notification.routing_reason,
        sentence="; ".join([routing, *(step.sentence for step in shown[-1:])]),
        state=notification.state,
        steps=tuple(shown),
        facts=facts,
    )


def _shown_step(step: Step, *, sees_choices: bool) -> contract.Step:
    reason, sentence = explanations.shown_reason(
        Because(step.reason), sees_choices=sees_choices
    )
    return contract.Step(at=step.at, state=step.state, reason=reason, sentence=sentence)


def _facts(person: str, asker: _Asker, known: _Known) -> tuple[str, ...]:
    found = explanations.facts_of_message(
        asker.channel, asker.author, is_mentioned=known.mentions(person)
    )
    if asker.sees_choices_of(person):
        found = (*found, explanations.choice(known.modes.get(person)))
    return found


def _not_told(
    person: str, outcome: Outcome, asker: _Asker, *, known: _Known
) -> contract.PersonExplained:
    return contract.PersonExplained(
        person=person,
        told=False,
        trigger=None,
        rule=outcome.rule,
        reason=outcome.reason,
        sentence=ROUTING_SENTENCES[RoutingReason(outcome.reason)],
        state=None,
        steps=(),
        facts=_facts(person, asker, known),
    )


def _unconcerned(person: str, asker: _Asker, known: _Known) -> contract.PersonExplained:
    """The same for a stranger and for a person who does not exist."""
    is_routed = known.routed is not None
    return contract.PersonExplained(
        person=person,
        told=False,
        trigger=None,
        rule=explanations.ANY_ROUTE,
        reason=str(RoutingReason.NOT_TOLD_NOT_FOLLOWING) if is_routed else "",
        sentence=explanations.NOT_CONCERNED if is_routed else explanations.NOT_YET,
        state=None,
        steps=(),
        facts=explanations.facts_of_message(
            asker.channel, asker.author, is_mentioned=False
        ),
    )
