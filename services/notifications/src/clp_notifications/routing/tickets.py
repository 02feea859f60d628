"""Tickets: people ask for help, operators list and close them (rule 52)."""

import base64
import binascii
import json
import re
from datetime import date
from typing import Any, Final

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from clp_chassis.clock import new_id
from clp_chassis.persistence.bulk_sql import insert_if_absent
from clp_contracts import notifications as contract
from clp_contracts.errors import Refused
from clp_core.channels import is_id
from clp_core.messages import judge_idempotency_key
from clp_core.people import has_portal_access
from clp_notifications.dependencies import Dependencies
from clp_notifications.mail.ticket import TICKET_FIELDS, image_type
from clp_notifications.mapping import person_in
from clp_notifications.tables import TICKETS, TicketRow
from clp_notifications.transitions import publish_due

# Characters of a field; any other field has at most `MAX_FIELD`.
LIMITS: Final = {"summary": 200, "steps": 10_000}
MAX_FIELD: Final = 500
UNSTORABLE: Final = re.compile("[\0\ud800-\udfff]")
MAX_SCREENSHOT_BYTES: Final = 1_400_000
MAX_OPEN_TICKETS: Final = 50
MAX_LISTED: Final = 500
URGENCIES: Final = ("blocks", "delays", "neither")
ID_LENGTH: Final = 16


def submit_ticket(
    request: contract.SubmitTicket, *, actor: str, deps: Dependencies
) -> contract.Ticket:
    """Store a ticket to be mailed; a replay with its key returns it.

    Raises:
        Refused: ``help.closed``, ``portal.closed``, ``ticket.malformed`` with the
            fields, ``ticket.too_many``, ``idempotency_key.*`` or ``attachment.*``.
    """
    if not deps.help_address:
        raise Refused("help.closed")
    screenshot = _validate(request)
    facts = deps.facts_for(actor)
    author = person_in(facts, actor)
    if author is None or not has_portal_access(author):
        raise Refused("portal.closed")
    at = deps.clock()
    values: dict[str, Any] = {
        "id": new_id()[:ID_LENGTH],
        "author": actor,
        "key": request.key,
        "summary": request.summary.strip(),
        "urgency": request.urgency,
        "fields": json.dumps({name: getattr(request, name) for name in TICKET_FIELDS}),
        "screenshot": screenshot or None,
        "created_at": at,
        "due_at": at,
        "attempts": 0,
    }
    with deps.database.writing() as session:
        if not insert_if_absent(session, TICKETS, values):
            return _replayed(session, values)
        if _open_tickets(session, actor) > MAX_OPEN_TICKETS:
            raise Refused.because("ticket.too_many", max_tickets=MAX_OPEN_TICKETS)
        publish_due(session, message=values["id"], project="", at=at)
        return _ticket(session.get_one(TicketRow, values["id"]))


def my_tickets(*, actor: str, deps: Dependencies) -> contract.MyTickets:
    """Return the actor's tickets, newest first, and whether more can be submitted."""
    if not is_id(actor):
        return contract.MyTickets(tickets=(), open=False)
    newest = (
        select(TicketRow)
        .where(TicketRow.author == actor)
        .order_by(TicketRow.created_at.desc(), TicketRow.id)
        .limit(MAX_LISTED)
    )
    with deps.database.reading() as session:
        return contract.MyTickets(
            tickets=tuple(_ticket(row) for row in session.scalars(newest)),
            open=bool(deps.help_address),
        )


def tickets(request: contract.ListTickets, *, deps: Dependencies) -> contract.Tickets:
    """List everybody's tickets, newest first."""
    statement = (
        select(TicketRow)
        .order_by(TicketRow.created_at.desc(), TicketRow.id)
        .limit(max(1, min(request.limit, MAX_LISTED)))
    )
    with deps.database.reading() as session:
        if request.after is not None:
            last = _row(session, request.after)
            earlier = TicketRow.created_at < last.created_at
            same = (TicketRow.created_at == last.created_at) & (TicketRow.id > last.id)
            statement = statement.where(earlier | same)
        return contract.Tickets(
            tickets=tuple(
                contract.SupportTicket(
                    id=row.id,
                    author=row.author,
                    summary=row.summary,
                    urgency=row.urgency,
                    state=_state(row),
                    created_at=row.created_at,
                    closed_at=row.closed_at,
                    mailed=row.due_at is None,
                )
                for row in session.scalars(statement)
            )
        )


def close_ticket(request: contract.TicketRef, *, deps: Dependencies) -> contract.Ticket:
    """Close a ticket; closing it twice changes nothing.

    Raises:
        Refused: ``ticket.missing``.
    """
    with deps.database.writing() as session:
        row = _row(session, request.ticket)
        if row.closed_at is None:
            session.execute(
                update(TicketRow)
                .where(TicketRow.id == row.id, TicketRow.closed_at.is_(None))
                .values(closed_at=deps.clock())
            )
            session.refresh(row)
        return _ticket(row)


def _row(session: Session, ticket: str) -> TicketRow:
    row = session.get(TicketRow, ticket) if is_id(ticket) else None
    if row is None:
        raise Refused("ticket.missing")
    return row


def _open_tickets(session: Session, author: str) -> int:
    counted = select(func.count()).where(
        TicketRow.author == author, TicketRow.closed_at.is_(None)
    )
    return session.scalar(counted) or 0


def _replayed(session: Session, values: dict[str, Any]) -> contract.Ticket:
    """Return the ticket of the same author and key, if its content is the same."""
    stored = session.scalars(
        select(TicketRow).where(
            TicketRow.author == values["author"], TicketRow.key == values["key"]
        )
    ).one()
    same = all(
        getattr(stored, name) == values[name]
        for name in ("summary", "urgency", "fields")
    )
    if not same:
        raise Refused("idempotency_key.reused")
    return _ticket(stored)


def _ticket(row: TicketRow) -> contract.Ticket:
    return contract.Ticket(
        id=row.id,
        summary=row.summary,
        urgency=row.urgency,
        state=_state(row),
        created_at=row.created_at,
        closed_at=row.closed_at,
        mailed=row.due_at is None,
    )


def _state(row: TicketRow) -> str:
    return "open" if row.closed_at is None else "closed"


def _validate(request: contract.SubmitTicket) -> bytes:
    """Check all fields; return the decoded screenshot."""
    if not (decision := judge_idempotency_key(request.key)):
        raise Refused.because(decision.reason, **decision.detail)
    wrong = {
        name: [problem]
        for name in ("summary", "urgency", *TICKET_FIELDS)
        if (problem := _problem(name, getattr(request, name) or ""))
    }
    if wrong:
        raise Refused.because("ticket.malformed", fields=wrong)
    return _screenshot(request.screenshot)


def _problem(name: str, value: str) -> str | None:
    """Say what is wrong with a field, None if nothing is."""
    limit = LIMITS.get(name, MAX_FIELD)
    if len(value) > limit:
        return f"at most {limit} characters"
    if UNSTORABLE.search(value):
        return "characters that cannot be stored"
    if name == "summary" and not value.strip():
        return "missing"
    if name == "urgency" and value not in URGENCIES:
        return f"one of {', '.join(URGENCIES)}"
    if name == "deadline" and value and not _is_day(value):
        return "not a day such as 2026-03-01"
    return None


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _screenshot(encoded: str) -> bytes:
    try:
        data = base64.b64decode(encoded.encode("ascii"), validate=True)
    except (binascii.Error, ValueError):
        fields = {"screenshot": ["not base64"]}
        raise Refused.because("ticket.malformed", fields=fields) from None
    if len(data) > MAX_SCREENSHOT_BYTES:
        raise Refused.because("attachment.too_large", max_bytes=MAX_SCREENSHOT_BYTES)
    if data and image_type(data) is None:
        raise Refused.because("attachment.type_refused", extensions=["jpeg", "png"])
    return data
