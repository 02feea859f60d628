"""Problems, as RFC 9457 details and as pages for people.

Every problem of the portal is one row: the code of a refusal, its status, and a
sentence that says what to do. Codes that end in ``.missing`` are one row: a hidden
thing and a missing one are the same problem, in the same bytes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from clp_contracts.error_codes import CODES
from clp_contracts.errors import Refused
from clp_portal.translation import N_, Locale

TYPE_PREFIX: Final = "/-/problems/"
MEDIA_TYPE: Final = "application/problem+json"
NOT_FOUND: Final = "path.missing"
SESSION_OVER: Final = "session.missing"
UNAVAILABLE: Final = "service.unavailable"
FAILED: Final = "service.failed"
UNPROCESSABLE: Final = 422
SERVER_ERROR: Final = 500

STATUSES: Final[Mapping[str, int]] = MappingProxyType(
    {
        "request.malformed": 400,
        "body.broken": 400,
        "session.missing": 401,
        "access.missing": 403,
        "request.foreign_origin": 403,
        "broadcast.internal_only": 403,
        "message.not_yours": 403,
        "path.missing": 404,
        "verb.refused": 405,
        "body.too_slow": 408,
        "attachment.pending": 409,
        "attachment.partner_quota_spent": 409,
        "message.changed": 412,
        "attachment.too_large": 413,
        "request.too_large": 413,
        "request.wrong_media_type": 415,
        "attachment.type_refused": 415,
        "attachment.content_mismatch": 415,
        "range.outside": 416,
        "attachment.quota_spent": 429,
        "calls.too_many": 429,
        "ticket.too_many": 429,
        "service.failed": 500,
        "sign_in.unavailable": 502,
        "service.unavailable": 503,
    }
)
# Sentences for people; the others of the list of codes are for programs.
SENTENCES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "path.missing": N_("There is nothing at this address, or nothing for you."),
        "session.missing": N_("Your session is over. Sign in again."),
        "access.missing": N_("Your account does not open this portal."),
        "request.malformed": N_("The request is malformed. Go back and try again."),
        "request.foreign_origin": N_(
            "Another site sent this request. Nothing is done."
        ),
        "request.too_large": N_("This is more than one request may hold."),
        "request.wrong_media_type": N_("The request has the wrong media type."),
        "broadcast.internal_only": N_("Only the studio writes in the broadcast."),
        "message.not_yours": N_("Only the author can change this message."),
        "message.deleted": N_("This message was deleted."),
        "message.changed": N_("Somebody changed this message meanwhile. Look again."),
        "text.empty": N_("Write a text or attach a file."),
        "text.too_long": N_("The text is too long: 10,000 characters at most."),
        "text.malformed": N_("The text holds characters that no message may hold."),
        "idempotency_key.malformed": N_("The request lacks its key. Try again."),
        "idempotency_key.reused": N_("This was sent already, with another text."),
        "mention.too_many": N_("Mention 50 people at most in one message."),
        "attachment.empty": N_("An empty file cannot be attached."),
        "attachment.too_large": N_("The file is larger than 10 MB."),
        "attachment.too_many": N_("Attach 10 files at most to one message."),
        "attachment.name_unsafe": N_("This file name is not safe. Rename the file."),
        "attachment.type_refused": N_("Files of this type cannot be attached."),
        "attachment.content_mismatch": N_("The file is not what its name says."),
        "attachment.pending": N_("The file is being checked. Try again soon."),
        "attachment.infected": N_("The file was found to be harmful."),
        "attachment.quota_spent": N_("You cannot upload more files today."),
        "attachment.partner_quota_spent": N_(
            "The files of your company take all the space they may. Delete some first."
        ),
        "query.empty": N_("Type at least one word."),
        "query.too_long": N_("The search is too long: 500 characters at most."),
        "cursor.malformed": N_("This page of the search is no more. Search again."),
        "body.broken": N_("The upload broke off. Try again."),
        "body.too_slow": N_("The upload took too long. Try again."),
        "range.outside": N_("The file has no such part."),
        "verb.refused": N_("This cannot be done at this address."),
        "calls.too_many": N_("Too much at once. Try again in a moment."),
        "sign_in.unavailable": N_("The sign-in cannot be reached. Try again soon."),
        "sign_in.failed": N_("The sign-in did not succeed. Try once more."),
        "ticket.malformed": N_("Fill in the marked fields."),
        "ticket.too_many": N_("Too many of your tickets are open."),
        "help.closed": N_("Tickets are not set up here. Ask the studio."),
        "service.failed": N_("This did not work, and it is our fault."),
        "service.unavailable": N_("The service cannot be reached. Try again soon."),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One problem; ``instance`` is an incident of ours, and only that.

    ``facts`` are the limit, list or character that a refusal is about, as over RPC.
    """

    code: str
    status: int
    title: str
    fields: Mapping[str, Any] | None = None
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])
    instance: str | None = None

    def body(self) -> dict[str, Any]:
        """Return the members of the problem object (RFC 9457, 3.1)."""
        body: dict[str, Any] = {
            "type": f"{TYPE_PREFIX}{self.code}",
            "title": self.title,
            "status": self.status,
            "code": self.code,
            "detail": self.title,
        }
        if self.fields is not None:
            body["fields"] = self.fields
        if self.facts:
            body["facts"] = dict(self.facts)
        if self.instance is not None:
            body["instance"] = f"urn:clp:incident:{self.instance}"
        return body


def public_code(code: str) -> str:
    """Return the code that may be shown: hidden and missing are one."""
    if code in {"passport.missing", "passport.refused"}:
        return SESSION_OVER
    if code in STATUSES or not code.endswith(".missing"):
        return code
    return NOT_FOUND


def status_of(code: str) -> int:
    """Return the HTTP status of a code."""
    return STATUSES.get(public_code(code), UNPROCESSABLE)


def problem_of(refused: Refused, locale: Locale) -> Problem:
    """Describe a refusal."""
    code = public_code(refused.code)
    status = status_of(code)
    fields = refused.detail.get("fields")
    incident = refused.detail.get("incident") if status >= SERVER_ERROR else None
    hidden = code != refused.code or status >= SERVER_ERROR
    named = () if hidden else set(refused.detail) - {"fields", "incident"}
    return Problem(
        code=code,
        status=status,
        title=sentence_of(code, locale),
        fields=fields if isinstance(fields, dict) else None,
        facts={name: refused.detail[name] for name in sorted(named)},
        instance=incident,
    )


def sentence_of(code: str, locale: Locale) -> str:
    """Return what to tell a person."""
    sentence = SENTENCES.get(code)
    return CODES.get(code, code) if sentence is None else locale.gettext(sentence)


def known_codes() -> tuple[str, ...]:
    """Return every code that has a page of its own."""
    return tuple(sorted({public_code(code) for code in (*SENTENCES, *CODES)}))
