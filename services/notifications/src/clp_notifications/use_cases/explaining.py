"""Why somebody was or was not told of a message, and what became of it (rule 25)."""

from collections.abc import Iterable, Mapping
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from clp_chassis.passports import Passport
from clp_chassis.storing import chunks
from clp_contracts import notifications as contract
from clp_contracts.methods import PassportKind
from clp_contracts.refusal import Refused
from clp_core.channels import Channel
from clp_core.people import Side
from clp_core.routing import SENTENCES as ROUTING_SENTENCES
from clp_core.routing import RoutingReason
from clp_core.visibility import may_read
from clp_notifications.facts import person_in, project_in, project_of
from clp_notifications.parts import Parts
from clp_notifications.states import SENTENCES, Because
from clp_notifications.tables import Notification, Outcome, RoutedMessage, Step

ANY_ROUTE: Final = "R1-R4"
NOT_CONCERNED: Final = "not told: neither follows the project nor is mentioned"
NOT_YET: Final = "not looked at yet"


def explain(
    ask: contract.AskExplain, *, actor: Passport, parts: Parts
) -> contract.Explained:
    """Everybody's story to the studio and to services; one's own to a partner's person.

    Raises:
        Refused: ``message.missing``, also for what the actor may not know.
    """
    wanted = _whom(ask, actor, parts)
    with parts.database.reading() as session:
        told = _told(session, ask.message, wanted)
        untold = _untold(session, ask.message, wanted)
        is_routed = session.get(RoutedMessage, ask.message) is not None
    people = {**untold, **told}
    if wanted is not None and wanted not in people:
        people[wanted] = _unconcerned(wanted, is_routed=is_routed)
    return contract.Explained(
        message=ask.message, people=tuple(people[one] for one in sorted(people))
    )


def _whom(ask: contract.AskExplain, actor: Passport, parts: Parts) -> str | None:
    """The person to explain, or None for everybody."""
    contents = parts.callers.messages.contents(messages_=(ask.message,)).contents
    if not contents:
        raise Refused("message.missing")
    if actor.kind is PassportKind.SERVICE:
        return ask.person
    channel = Channel.named(contents[0].message.channel)
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


def _told(
    session: Session, message: str, person: str | None
) -> Mapping[str, contract.PersonExplained]:
    asked = select(Notification).where(Notification.message == message)
    if person is not None:
        asked = asked.where(Notification.person == person)
    rows = session.scalars(asked).all()
    steps = _steps(session, [row.id for row in rows])
    return {
        row.person: contract.PersonExplained(
            person=row.person,
            told=True,
            trigger=row.trigger,
            rule=row.rule,
            reason=row.routing_reason,
            sentence=(
                f"{ROUTING_SENTENCES[RoutingReason(row.routing_reason)]}; "
                f"{SENTENCES[Because(row.reason)]}"
            ),
            state=row.state,
            steps=tuple(steps.get(row.id, ())),
        )
        for row in rows
    }


def _steps(
    session: Session, notifications: Iterable[str]
) -> Mapping[str, list[contract.Step]]:
    found: dict[str, list[contract.Step]] = {}
    for chunk in chunks(notifications):
        rows = session.scalars(
            select(Step).where(Step.notification.in_(chunk)).order_by(Step.id)
        )
        for row in rows:
            step = contract.Step(at=row.at, state=row.state, reason=row.reason)
            found.setdefault(row.notification, []).append(step)
    return found


def _untold(
    session: Session, message: str, person: str | None
) -> Mapping[str, contract.PersonExplained]:
    asked = select(Outcome).where(Outcome.message == message)
    if person is not None:
        asked = asked.where(Outcome.person == person)
    return {
        row.person: _not_told(
            row.person,
            (row.rule, row.reason, ROUTING_SENTENCES[RoutingReason(row.reason)]),
        )
        for row in session.scalars(asked)
    }


def _unconcerned(person: str, *, is_routed: bool) -> contract.PersonExplained:
    """The same for a stranger and for a person who does not exist."""
    reason = RoutingReason.NOT_TOLD_NOT_FOLLOWING if is_routed else ""
    sentence = NOT_CONCERNED if is_routed else NOT_YET
    return _not_told(person, (ANY_ROUTE, reason, sentence))


def _not_told(person: str, why: tuple[str, str, str]) -> contract.PersonExplained:
    rule, reason, sentence = why
    return contract.PersonExplained(
        person=person,
        told=False,
        trigger=None,
        rule=rule,
        reason=str(reason),
        sentence=sentence,
        state=None,
        steps=(),
    )
