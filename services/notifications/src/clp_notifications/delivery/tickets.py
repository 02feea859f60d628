"""Send the mails of tickets, and retry until they are accepted (rule 52).

A ticket never fails for good: it is retried whatever the relay replies, at last twice a
day.
"""

import json
import logging
from dataclasses import replace
from datetime import timedelta
from typing import Final

from sqlalchemy import bindparam, or_, select

from clp_chassis.observability.logs import safe_error_text
from clp_chassis.transient_errors import is_of_services
from clp_contracts.mail_addresses import MailAddress
from clp_contracts.transition_reasons import TransitionReason
from clp_notifications.delivery.dependencies import DeliveryDependencies
from clp_notifications.delivery.outcomes import DELAYS, SERVICES_RETRY
from clp_notifications.delivery.relay_replies import due_after_fault, update_throttle
from clp_notifications.delivery.smtp_replies import Effect, SmtpOutcome
from clp_notifications.mail.ticket import TicketMail, compose_ticket
from clp_notifications.mapping import person_in
from clp_notifications.tables import TICKETS, TicketRow

log = logging.getLogger(__name__)

BATCH: Final = 10
SERVICES_UNAVAILABLE: Final = SmtpOutcome(
    Effect.MAIL_AGAIN, TransitionReason.SERVICES_UNAVAILABLE
)
FAULT: Final = SmtpOutcome(Effect.MAIL_AGAIN, TransitionReason.FAULT)
ANY_DUE: Final = (
    select(TICKETS.c.id)
    .where(TICKETS.c.due_at <= bindparam("now", type_=TICKETS.c.due_at.type))
    .limit(1)
)


def send_tickets(deps: DeliveryDependencies) -> int:
    """Send the due tickets to the support address; return how many were sent."""
    address = deps.help_address
    if address is None or _is_paused(deps):
        return 0
    with deps.database.reading() as session:
        # Read at each turn of the worker, and nearly always in vain.
        if session.scalar(ANY_DUE, {"now": deps.clock()}) is None:
            return 0
    sent = 0
    outcome: SmtpOutcome | None = None
    for ticket in _claim(deps):
        # What stopped the ticket before this one stops this one too.
        if outcome is None or not _is_paused(deps):
            outcome = _send(ticket, address, deps)
        _record(ticket.id, deps, outcome)
        sent += outcome.effect is Effect.SENT
        if outcome.effect is not Effect.SENT:
            log.warning("ticket %s was not sent: %s", ticket.id, outcome.reason)
    return sent


def _is_paused(deps: DeliveryDependencies) -> bool:
    return deps.throttle.paused_for(deps.clock()) > timedelta(0)


def _send(
    ticket: TicketMail, address: MailAddress, deps: DeliveryDependencies
) -> SmtpOutcome:
    """Send one ticket; a failure is of this one only."""
    try:
        whole = _with_author(ticket, deps)
        mail = compose_ticket(whole, deps.composer.identity, address)
        outcome = deps.transport.send(mail, lambda: True)
    except Exception as error:
        if is_of_services(error):
            reason = safe_error_text(error)
            log.warning("ticket %s waits for services: %s", ticket.id, reason)
            return SERVICES_UNAVAILABLE
        log.exception("ticket %s could not be sent", ticket.id)
        return FAULT
    update_throttle(deps.throttle, outcome, deps.clock())
    return outcome


def _claim(deps: DeliveryDependencies) -> list[TicketMail]:
    now = deps.clock()
    due = (
        select(TicketRow)
        .where(
            TicketRow.due_at <= now,
            or_(TicketRow.lease_until.is_(None), TicketRow.lease_until < now),
        )
        .order_by(TicketRow.due_at, TicketRow.id)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    with deps.database.writing(notify=False) as session:
        rows = list(session.scalars(due))
        for row in rows:
            row.lease_until = now + deps.limits.lease
        return [_mail_of(row) for row in rows]


def _mail_of(row: TicketRow) -> TicketMail:
    return TicketMail(
        id=row.id,
        author=row.author,
        author_name="",
        author_email=None,
        summary=row.summary,
        urgency=row.urgency,
        fields=json.loads(row.fields),
        screenshot=row.screenshot,
        created_at=row.created_at,
    )


def _with_author(ticket: TicketMail, deps: DeliveryDependencies) -> TicketMail:
    facts = deps.clients.projects.facts(people=(ticket.author,))
    author = person_in(facts, ticket.author)
    if author is None:
        return ticket
    return replace(ticket, author_name=author.name, author_email=author.email)


def _record(ticket: str, deps: DeliveryDependencies, outcome: SmtpOutcome) -> None:
    now = deps.clock()
    due_at = (
        now + SERVICES_RETRY
        if outcome is SERVICES_UNAVAILABLE
        else due_after_fault(deps.throttle, outcome, now)
    )
    with deps.database.writing(notify=False) as session:
        row = session.get_one(TicketRow, ticket, with_for_update=True)
        row.lease_until = None
        row.attempts += due_at is None
        row.due_at = due_at or now + _delay(row.attempts)
        if outcome.effect is Effect.SENT:
            row.due_at = row.screenshot = None


def _delay(attempts: int) -> timedelta:
    return DELAYS[min(attempts, len(DELAYS)) - 1]
