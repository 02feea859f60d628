"""Handle complaints: abuse reports in the ARF format (RFC 5965).

A complaint turns off all mails to its reader. It counts only when the report holds the
envelope sender of a mail of ours, whose MAC was made for that reader's address.
"""

import logging
from collections.abc import Iterator
from enum import StrEnum
from typing import Final

from clp_chassis.persistence.bulk_sql import insert_if_absent
from clp_contracts.transition_reasons import TransitionReason
from clp_notifications.dependencies import Dependencies
from clp_notifications.inbound.bounces import VerifiedMail, sent_in, verified_mail
from clp_notifications.inbound.classifier import VerpMark, verp_marks
from clp_notifications.inbound.delivery_status import normalized
from clp_notifications.inbound.mime import Headers, Part, parse_headers
from clp_notifications.states import State
from clp_notifications.tables import BOUNCES
from clp_notifications.transitions import (
    COMPLAINT,
    Transition,
    record_transitions,
    turn_off_all_mails,
)

log = logging.getLogger(__name__)

REPORT_TYPE: Final = "feedback-report"
FEEDBACK_TYPE: Final = f"message/{REPORT_TYPE}"
ORIGINAL_TYPES: Final = ("message/rfc822", "message/global", "text/rfc822-headers")
# Feedback types (RFC 5965, section 7.3; RFC 6650) by which a reader rejects mails.
# `not-spam` takes a complaint back and `auth-failure` is about our sending.
COMPLAINTS: Final = frozenset({"abuse", "fraud", "virus", "other", "opt-out"})
COMPLAINED: Final = Transition(State.SENT, TransitionReason.COMPLAINED)


class ComplaintEffect(StrEnum):
    """The effect of a feedback report."""

    MAILS_OFF = "mails_off"
    NO_COMPLAINT = "no_complaint"
    NOT_OURS = "not_ours"


def handle_complaint(mail: Part, *, deps: Dependencies) -> ComplaintEffect:
    """Turn off the mails to the reader who complained; the same again changes nothing.

    Raises:
        MalformedMail: the report cannot be parsed.
    """
    reports = [
        parse_headers(part.body.strip())
        for part in mail.report_parts(REPORT_TYPE, (FEEDBACK_TYPE,))
    ]
    kinds = {report.get("Feedback-Type").lower() for report in reports}
    if not kinds & COMPLAINTS:
        return ComplaintEffect.NO_COMPLAINT
    recipients = normalized(
        address.strip("<> ")
        for report in reports
        for address in report.all("Original-Rcpt-To")
    )
    marks = list(_marks(mail, reports, deps.bounces.domain))
    complaint = verified_mail(marks, tuple(recipients), deps=deps)
    if complaint is None:
        return ComplaintEffect.NOT_OURS
    _turn_off(complaint, deps)
    return ComplaintEffect.MAILS_OFF


def _marks(mail: Part, reports: list[Headers], domain: str) -> Iterator[VerpMark]:
    """The marks in the recipients, the report and the returned headers."""
    yield from verp_marks(mail.headers, domain)
    for report in reports:
        yield from verp_marks(report, domain, "Original-Mail-From")
    for part in mail.walk():
        if part.content_type in ORIGINAL_TYPES:
            head = part.body.replace(b"\r\n", b"\n").partition(b"\n\n")[0]
            yield from verp_marks(parse_headers(head), domain, "Return-Path")


def _turn_off(complaint: VerifiedMail, deps: Dependencies) -> None:
    at = deps.clock()
    row = {
        "mail": complaint.mail,
        "kind": COMPLAINT,
        "address": complaint.address,
        "at": at,
    }
    with deps.database.writing() as session:
        if not insert_if_absent(session, BOUNCES, row):
            return
        sent = sent_in(session, complaint.mail)
        record_transitions(session, COMPLAINED, sent, at=at)
        turn_off_all_mails(session, complaint.person, cause=COMPLAINT, at=at)
    log.warning("the reader of mail %s complained: their mails are off", complaint.mail)
