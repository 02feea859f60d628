"""Send the mails of tickets, and retry until they are accepted (rule 52).

A ticket never fails for good: it is retried whatever the relay replies, at last twice a
day.
"""

import json
import logging
from dataclasses import replace
from datetime import timedelta
from typing import Final

from sqlalchemy import or_, select

from clp_notifications.delivery.dependencies import DeliveryDependencies
from clp_notifications.delivery.outcomes import DELAYS
from clp_notifications.delivery.smtp_replies import Effect
from clp_notifications.mail.ticket import TicketMail, compose_ticket
from clp_notifications.mapping import person_in
from clp_notifications.tables import TicketRow

log = logging.getLogger(__name__)

BATCH: Final = 10


def send_tickets(deps: DeliveryDependencies) -> int:
    """Send the due tickets to the support address; return how many were sent."""
    address = deps.help_address
    if address is None or deps.throttle.paused_for(deps.clock()) > timedelta(0):
        return 0
    sent = 0
    for ticket in _claim(deps):
        ticket_mail = _with_author(ticket, deps)
        mail = compose_ticket(ticket_mail, deps.composer.identity, address)
        outcome = deps.transport.send(mail, lambda: True)
        accepted = outcome.effect is Effect.SENT
        _record(ticket.id, deps, accepted=accepted)
        sent += accepted
        if not accepted:
            log.warning("ticket %s was not sent: %s", ticket.id, outcome.reason)
    return sent


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


def _record(ticket: str, deps: DeliveryDependencies, *, accepted: bool) -> None:
    now = deps.clock()
    with deps.database.writing(notify=False) as session:
        row = session.get_one(TicketRow, ticket, with_for_update=True)
        row.lease_until = None
        row.attempts += 1
        row.due_at = None if accepted else now + _delay(row.attempts)
        if accepted:
            row.screenshot = None


def _delay(attempts: int) -> timedelta:
    return DELAYS[min(attempts, len(DELAYS)) - 1]
