"""Explain who was told of a message and why, with the delivery (rule 25)."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from clp_chassis.persistence.bulk_sql import batched
from clp_chassis.security.passports import Passport
from clp_contracts import notifications as contract
from clp_contracts.core_mapping import to_project
from clp_contracts.errors import Refused
from clp_contracts.methods import PassportKind
from clp_contracts.transition_reasons import TransitionReason
from clp_core.channels import Channel, ProjectId, is_id
from clp_core.people import Side
from clp_core.routing import SENTENCES as ROUTING_SENTENCES
from clp_core.routing import RoutingReason
from clp_core.visibility import may_read
from clp_notifications import explanations
from clp_notifications.dependencies import Dependencies
from clp_notifications.explanations import ExplanationLocale
from clp_notifications.mail.content import Kind
from clp_notifications.mail.locales import LocalePreferences
from clp_notifications.mapping import person_in, project_in
from clp_notifications.states import MailMode, State
from clp_notifications.tables import (
    Mail,
    Notification,
    Outcome,
    RoutedMessage,
    TransitionRow,
)
from clp_notifications.transitions import complainants_among, modes_of

PEOPLE_PER_CALL: Final = 5000
# The broadcast of a project that does not exist.
NO_CHANNEL: Final = Channel(ProjectId("0"))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scope:
    """The message, and the people whom the actor may see; None means everybody."""

    message: str
    channel: Channel
    author: str
    person: str | None
    actor: Passport
    locale: ExplanationLocale

    def sees_choices_of(self, person: str) -> bool:
        """Whether the actor may know what the person read and chose (rule 31)."""
        return self.actor.kind is PassportKind.SERVICE or self.actor.subject == person


@dataclass(frozen=True, slots=True, kw_only=True)
class _MessageState:
    """The routed message, and the mail modes of the people concerned."""

    routed: RoutedMessage | None
    modes: Mapping[str, MailMode]
    complainants: frozenset[str]

    def mentions(self, person: str) -> bool:
        return self.routed is not None and person in json.loads(self.routed.mentioned)


def explain(
    request: contract.GetExplanation, *, actor: Passport, deps: Dependencies
) -> contract.MessageExplanation:
    """Explain everybody to internal people and services, oneself to external people.

    What a person read and chose is explained to that person and to services only.

    Raises:
        Refused: ``message.missing``, also for what the actor may not see.
    """
    scope = _scope_of(request, actor, deps)
    with deps.database.reading() as session:
        notified = _notifications(session, scope)
        not_told = _outcomes(session, scope)
        people = sorted(
            {notification.person for notification, _ in notified} | not_told.keys()
        )
        state = _MessageState(
            routed=session.get(RoutedMessage, request.message),
            modes=modes_of(session, people, scope.channel.project),
            complainants=complainants_among(session, people),
        )
        transitions = _transitions(
            session, [notification.id for notification, _ in notified]
        )
    names = _names(people, deps)
    explained = {
        person: _explain_outcome(person, outcome, scope, state=state)
        for person, outcome in not_told.items()
    }
    for notification, mail in notified:
        explained[notification.person] = _explain_notification(
            notification,
            mail,
            transitions.get(notification.id, []),
            scope=scope,
            state=state,
        )
    if scope.person is not None and scope.person not in explained:
        explained[scope.person] = _explain_unconcerned(scope.person, scope, state)
    return contract.MessageExplanation(
        message=request.message,
        people=tuple(
            replace(explained[one], name=names.get(one, ""))
            for one in sorted(explained)
        ),
    )


def _names(people: Sequence[str], deps: Dependencies) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for some in batched(people, PEOPLE_PER_CALL):
        facts = deps.clients.projects.facts(people=some)
        found.update((person.id, person.name) for person in facts.people)
    return found


def _scope_of(
    request: contract.GetExplanation, actor: Passport, deps: Dependencies
) -> _Scope:
    found = deps.clients.messages.message_channel(message=request.message)
    channel = Channel.named(found.channel) if found.channel else NO_CHANNEL
    # A missing message takes the same calls as a hidden one (rule 5).
    person = _visible_person(request, channel, actor, deps=deps)
    if found.author is None:
        raise Refused("message.missing")
    return _Scope(
        message=request.message,
        channel=channel,
        author=found.author,
        person=person,
        actor=actor,
        locale=_locale_of(request),
    )


def _locale_of(request: contract.GetExplanation) -> ExplanationLocale:
    """The language and time zone that the caller names, else those of operators."""
    default = LocalePreferences()
    return ExplanationLocale(
        LocalePreferences(
            language=request.language or default.language,
            time_zone=request.time_zone or default.time_zone,
        )
    )


def _visible_person(
    request: contract.GetExplanation,
    channel: Channel,
    actor: Passport,
    *,
    deps: Dependencies,
) -> str | None:
    """Return the person to explain, or None for everybody."""
    if actor.kind is PassportKind.SERVICE:
        return request.person
    facts = deps.facts_for(actor.subject, channel.project)
    reader, project = (
        person_in(facts, actor.subject),
        project_in(facts, channel.project),
    )
    if reader is None or project is None:
        raise Refused("message.missing")
    if not may_read(reader, channel, to_project(project)):
        raise Refused("message.missing")
    if reader.side is Side.INTERNAL:
        return request.person
    if request.person not in (None, actor.subject):
        raise Refused("message.missing")
    return actor.subject


def _notifications(session: Session, scope: _Scope) -> list[tuple[Notification, Mail]]:
    if scope.person is not None and not is_id(scope.person):
        return []
    statement = (
        select(Notification, Mail)
        .join(Mail, Mail.id == Notification.mail)
        .where(Notification.message == scope.message)
    )
    if scope.person is not None:
        statement = statement.where(Notification.person == scope.person)
    return [(row.Notification, row.Mail) for row in session.execute(statement)]


def _outcomes(session: Session, scope: _Scope) -> Mapping[str, Outcome]:
    if scope.person is not None and not is_id(scope.person):
        return {}
    statement = select(Outcome).where(Outcome.message == scope.message)
    if scope.person is not None:
        statement = statement.where(Outcome.person == scope.person)
    return {row.person: row for row in session.scalars(statement)}


def _transitions(
    session: Session, notifications: Iterable[str]
) -> Mapping[str, list[TransitionRow]]:
    found: dict[str, list[TransitionRow]] = {}
    for chunk in batched(notifications):
        rows = session.scalars(
            select(TransitionRow)
            .where(TransitionRow.notification.in_(chunk))
            .order_by(TransitionRow.id)
        )
        for row in rows:
            found.setdefault(row.notification, []).append(row)
    return found


def _explain_notification(
    notification: Notification,
    mail: Mail,
    transitions: list[TransitionRow],
    *,
    scope: _Scope,
    state: _MessageState,
) -> contract.PersonExplained:
    sees_choices = scope.sees_choices_of(notification.person)
    visible = [
        _visible_transition(one, scope.locale, sees_choices=sees_choices)
        for one in transitions
    ]
    routing = ROUTING_SENTENCES[RoutingReason(notification.routing_reason)]
    facts = _facts(notification.person, scope, state)
    if notification.state == State.DUE and mail.due_at is not None:
        in_digest = mail.kind == Kind.DIGEST
        facts = (*facts, scope.locale.due(mail.due_at, in_digest=in_digest))
    return contract.PersonExplained(
        person=notification.person,
        told=True,
        trigger=notification.trigger,
        rule=notification.rule,
        reason=notification.routing_reason,
        sentence=scope.locale.routing_and_mail(routing, visible[-1].sentence)
        if visible
        else scope.locale.sentence(routing),
        state=notification.state,
        transitions=tuple(visible),
        facts=facts,
    )


def _visible_transition(
    row: TransitionRow, locale: ExplanationLocale, *, sees_choices: bool
) -> contract.Transition:
    reason, sentence = locale.reason(
        TransitionReason(row.reason), sees_choices=sees_choices
    )
    return contract.Transition(
        at=row.at, state=row.state, reason=reason, sentence=sentence
    )


def _facts(person: str, scope: _Scope, state: _MessageState) -> tuple[str, ...]:
    found = scope.locale.facts_of_message(
        scope.channel, scope.author, is_mentioned=state.mentions(person)
    )
    if scope.sees_choices_of(person):
        sentence = scope.locale.mail_mode(
            state.modes.get(person), has_complained=person in state.complainants
        )
        found = (*found, sentence)
    return found


def _explain_outcome(
    person: str, outcome: Outcome, scope: _Scope, *, state: _MessageState
) -> contract.PersonExplained:
    return contract.PersonExplained(
        person=person,
        told=False,
        trigger=None,
        rule=outcome.rule,
        reason=outcome.reason,
        sentence=scope.locale.sentence(
            ROUTING_SENTENCES[RoutingReason(outcome.reason)]
        ),
        state=None,
        transitions=(),
        facts=_facts(person, scope, state),
    )


def _explain_unconcerned(
    person: str, scope: _Scope, state: _MessageState
) -> contract.PersonExplained:
    """Explain a person without a row; the same for one who does not exist."""
    is_routed = state.routed is not None
    return contract.PersonExplained(
        person=person,
        told=False,
        trigger=None,
        rule=explanations.ANY_ROUTE,
        reason=str(RoutingReason.NOT_TOLD_NOT_FOLLOWING) if is_routed else "",
        sentence=scope.locale.sentence(
            explanations.NOT_CONCERNED if is_routed else explanations.NOT_YET
        ),
        state=None,
        transitions=(),
        facts=scope.locale.facts_of_message(
            scope.channel, scope.author, is_mentioned=False
        ),
    )
