"""Help: a ticket to the support address, and the state of one's own (rule 52)."""

import base64
from dataclasses import replace
from typing import Final

from clp_contracts.errors import CallFailed, Refused
from clp_contracts.notifications import SubmitTicket
from clp_portal.problems import problem_of, sentence_of, status_of
from clp_portal.tokens import new_key
from clp_portal.views.tickets import (
    TEXT_FIELDS,
    TicketForm,
    ticket_rows,
    urgency_choices,
)
from clp_portal.views.urls import HELP, local_path
from clp_portal.web import Context, RedirectResponse, Response, TemplateResponse

SUBMITTED: Final = "submitted"
MAX_SCREENSHOT_BYTES: Final = 10 * 1024 * 1024


def show_tickets(context: Context) -> Response:
    """Show the form, and one's own tickets.

    The page from which somebody comes is filled in; browsers name it for pages of the
    same origin only.
    """
    public_url = context.deps.settings.public_url.rstrip("/")
    came_from = context.request.headers.get("Referer", "")
    path = came_from.removeprefix(public_url)
    if path == came_from or path.startswith(HELP) or local_path(path) != path:
        came_from = ""
    return _page(context, TicketForm(values={"url": came_from}))


def submit_ticket(context: Context) -> Response:
    """Submit a ticket; what is wrong is shown with everything kept."""
    form = context.request.form
    values = {name: form.get(name).replace("\r\n", "\n") for name in TEXT_FIELDS}
    kept = TicketForm(values=dict(values))
    try:
        ticket = context.clients.notifications.submit_ticket(
            SubmitTicket(
                key=form.get("key"),
                summary=values.pop("summary"),
                deadline=values.pop("deadline") or None,
                screenshot=_screenshot_of(context),
                **values,
            )
        )
    except (Refused, CallFailed) as error:
        return _not_submitted(context, kept, error)
    return RedirectResponse(location=HELP, notice={SUBMITTED: ticket.id})


def _screenshot_of(context: Context) -> str:
    """Return the screenshot of the form in base64, empty when there is none.

    Raises:
        Refused: ``attachment.too_large``.
    """
    for file in context.request.files:
        if file.size > MAX_SCREENSHOT_BYTES:
            raise Refused.because(
                "attachment.too_large", max_bytes=MAX_SCREENSHOT_BYTES
            )
        return base64.b64encode(b"".join(file.chunks())).decode()
    return ""


def _not_submitted(
    context: Context, form: TicketForm, error: Refused | CallFailed
) -> Response:
    if isinstance(error, CallFailed):
        sentence = sentence_of("service.unavailable", context.locale)
        return _page(context, replace(form, error=sentence), status=503)
    problem = problem_of(error, context.locale)
    fields = problem.fields or {}
    failed = replace(form, error=problem.title, invalid=frozenset(fields))
    return _page(context, failed, status=status_of(error.code))


def _page(context: Context, form: TicketForm, *, status: int = 200) -> Response:
    mine = context.clients.notifications.my_tickets()
    values = {
        "form": form,
        "key": new_key(),
        "is_open": mine.open,
        "tickets": ticket_rows(mine.tickets, context.locale),
        "submitted": context.notice.get(SUBMITTED, ""),
        "support_address": context.deps.settings.support_address,
        "choices": urgency_choices(form, context.locale),
    }
    return TemplateResponse(template="help.html", values=values, status=status)
