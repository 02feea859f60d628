"""Notifications that were given up: kept with their reason, sent again on demand."""

from typing import Final

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from clp_chassis.persistence.bulk_sql import chunks
from clp_contracts import notifications as contract
from clp_contracts.errors import Refused
from clp_notifications.dependencies import Parts
from clp_notifications.states import Because, State
from clp_notifications.tables import Mail, Notification, Step
from clp_notifications.transitions import Change, announce_due, move

MOST: Final = 500


def dead(ask: contract.AskDead, *, parts: Parts) -> contract.DeadNotifications:
    """What was given up, oldest first; ``after`` is the last one seen."""
    # The last step of what is dead is the one into death.
    last = (
        select(func.max(Step.id))
        .where(Step.notification == Notification.id)
        .correlate(Notification)
        .scalar_subquery()
    )
    asked = (
        select(Notification, Step.at)
        .join(Step, Step.id == last)
        .where(Notification.state == State.DEAD)
        .order_by(Step.id)
        .limit(max(1, min(ask.limit, MOST)))
    )
    if ask.after is not None:
        seen = select(func.max(Step.id)).where(Step.notification == ask.after)
        asked = asked.where(Step.id > seen.scalar_subquery())
    with parts.database.reading() as session:
        found = tuple(
            contract.DeadNotification(
                id=row.Notification.id,
                message=row.Notification.message,
                person=row.Notification.person,
                reason=row.Notification.reason,
                at=row.at,
            )
            for row in session.execute(asked)
        )
    return contract.DeadNotifications(notifications=found)


def redrive(ask: contract.Redrive, *, parts: Parts) -> contract.Redriven:
    """Put given-up notifications back to work; all of them when none is named.

    Raises:
        Refused: ``notification.missing`` when one that is named was not given up.
    """
    at = parts.clock()
    with parts.database.writing() as session:
        found = _given_up(session, ask.notifications)
        if len(found) < len(set(ask.notifications)):
            raise Refused("notification.missing")
        again = Change(State.DUE, Because.REDRIVEN)
        move(session, {row.id: again for row in found}, at=at)
        for chunk in chunks(row.mail for row in found):
            session.execute(
                update(Mail)
                .where(Mail.id.in_(chunk))
                .values(due_at=at, attempts=0, first_tried_at=None)
            )
        for about in sorted({(row.message, row.project) for row in found}):
            announce_due(session, about, at=at)
    return contract.Redriven(count=len(found))


def _given_up(session: Session, named: tuple[str, ...]) -> list[Notification]:
    given_up = (
        select(Notification)
        .where(Notification.state == State.DEAD)
        .order_by(Notification.id)
        .with_for_update()
    )
    if not named:
        return list(session.scalars(given_up))
    found: list[Notification] = []
    for chunk in chunks(named):
        found.extend(session.scalars(given_up.where(Notification.id.in_(chunk))))
    return found
