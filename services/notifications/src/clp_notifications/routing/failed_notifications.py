"""List and redrive notifications that failed, or had no usable address (rule 41)."""

from typing import Final

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.orm import Session

from clp_chassis.persistence.bulk_sql import batched
from clp_contracts import notifications as contract
from clp_contracts.errors import Refused
from clp_contracts.transition_reasons import TransitionReason
from clp_notifications.dependencies import Dependencies
from clp_notifications.states import State
from clp_notifications.tables import Mail, Notification, TransitionRow
from clp_notifications.transitions import Transition, apply_transitions, publish_due

MAX_LISTED: Final = 500
# Withdrawn for nothing that the reader did or may not see.
ADDRESS_REASONS: Final = (
    TransitionReason.ADDRESS_SUPPRESSED,
    TransitionReason.ADDRESS_MALFORMED,
    TransitionReason.UNDELIVERABLE,
    TransitionReason.NO_SMTPUTF8,
)
CAN_BE_REDRIVEN: Final = or_(
    Notification.state == State.DEAD,
    and_(
        Notification.state == State.SUPPRESSED,
        Notification.reason.in_([reason.value for reason in ADDRESS_REASONS]),
    ),
)


def dead(
    request: contract.ListDead, *, deps: Dependencies
) -> contract.DeadNotifications:
    """List failed notifications, oldest first, after the one with the id ``after``.

    Those that were suppressed for their address count as failed.
    """
    # The last transition of a failed notification is the one that failed it.
    last = (
        select(func.max(TransitionRow.id))
        .where(TransitionRow.notification == Notification.id)
        .correlate(Notification)
        .scalar_subquery()
    )
    statement = (
        select(Notification, TransitionRow.at)
        .join(TransitionRow, TransitionRow.id == last)
        .where(CAN_BE_REDRIVEN)
        .order_by(TransitionRow.id)
        .limit(max(1, min(request.limit, MAX_LISTED)))
    )
    if request.after is not None:
        seen = select(func.max(TransitionRow.id)).where(
            TransitionRow.notification == request.after
        )
        statement = statement.where(TransitionRow.id > seen.scalar_subquery())
    with deps.database.reading() as session:
        found = tuple(
            contract.DeadNotification(
                id=row.Notification.id,
                message=row.Notification.message,
                person=row.Notification.person,
                reason=row.Notification.reason,
                at=row.at,
            )
            for row in session.execute(statement)
        )
    return contract.DeadNotifications(notifications=found)


def redrive(request: contract.Redrive, *, deps: Dependencies) -> contract.Redriven:
    """Make failed notifications due again; all of them when none is named.

    Raises:
        Refused: ``notification.missing`` when a named one has not failed.
    """
    at = deps.clock()
    with deps.database.writing() as session:
        found = _failed(session, request.notification_ids)
        if len(found) < len(set(request.notification_ids)):
            raise Refused("notification.missing")
        redriven = Transition(State.DUE, TransitionReason.REDRIVEN)
        apply_transitions(session, {row.id: redriven for row in found}, at=at)
        for chunk in batched(row.mail for row in found):
            session.execute(
                update(Mail)
                .where(Mail.id.in_(chunk))
                .values(due_at=at, attempts=0, first_tried_at=None)
            )
        for message, project in sorted({(row.message, row.project) for row in found}):
            publish_due(session, message=message, project=project, at=at)
    return contract.Redriven(count=len(found))


def _failed(session: Session, named: tuple[str, ...]) -> list[Notification]:
    failed = (
        select(Notification)
        .where(CAN_BE_REDRIVEN)
        .order_by(Notification.id)
        .with_for_update()
    )
    if not named:
        return list(session.scalars(failed))
    found: list[Notification] = []
    for chunk in batched(named):
        found.extend(session.scalars(failed.where(Notification.id.in_(chunk))))
    return found
