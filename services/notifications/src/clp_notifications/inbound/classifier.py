"""Classify incoming mails: bounce, complaint, unsubscribe, automatic reply, other.

The table is total: its last row matches everything. Whoever reads replies (rule 60)
adds a row and a handler.
"""

import re
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Final

from clp_notifications.inbound.mime import Headers, Part
from clp_notifications.mail.content import UNSUBSCRIBE_LOCAL_PART

# Headers in which mail servers record the envelope recipient.
RECIPIENT_HEADERS: Final = ("X-Original-To", "Delivered-To", "Envelope-To", "To")
VERP: Final = r"(?<![\w.+-])b\+([0-9a-z]{{1,64}})\.([0-9a-f]{{16}})@{domain}(?![\w.-])"
UNSUBSCRIBE: Final = r"(?<![\w.+-]){local}@{domain}(?![\w.-])"
# RFC 3834 and the older habits of answering machines.
AUTOMATIC_REPLY: Final = (
    ("Auto-Submitted", re.compile(r"auto-replied|auto-notified", re.IGNORECASE)),
    ("X-Autoreply", re.compile(r"yes|true", re.IGNORECASE)),
    ("X-Autorespond", re.compile(r".")),
    ("X-Auto-Reply", re.compile(r".")),
    ("X-Autoresponder", re.compile(r".")),
    ("X-AutoReply-From", re.compile(r".")),
    ("Precedence", re.compile(r"auto_reply|auto-reply", re.IGNORECASE)),
    ("X-Mailer-Type", re.compile(r"vacation", re.IGNORECASE)),
)
# Only at the beginning: the rest may be the subject of a mail of ours.
AUTOMATIC_SUBJECT: Final = re.compile(
    r"\s*(?:(?:re|aw|sv|tr|antw)\s*:\s*)*(?:"
    r"auto(?:matic|mated)?[ -]?(?:reply|response)|out of (?:the )?office|autosvar"
    r"|auto(?:matische antwort|matisch antwoord|matisk[ta]? svar|odpowied[zź])"
    r"|abwesen|afwezig|r[ée]ponse automatique|absence du bureau|absent du bureau"
    r"|r(?:espuesta|isposta|esposta) autom[aá]tica|fuera de (?:la )?oficina|fuori sede"
    r"|automatyczna odpowied[zź]|odpowied[zź] automatyczna|fora do escrit[oó]rio"
    r"|r[aă]spuns automat|balasan otomatis|trả lời tự động|frånvaro|fraværende"
    r"|ikke til stede|автоматична відповідь|automaattinen vastaus|automatick[aá] odpov"
    r"|automatikus v[aá]lasz|otomatik yan.t|αυτόματη απάντηση|автоответ"
    r"|автоматический ответ|תשובה אוטומטית|رد تلقائي|ตอบกลับอัตโนมัติ"
    r"|自動応答|自動返信|不在|自动(?:答复|回复)|自動(?:答覆|回覆)|자동 ?(?:회신|응답)"
    r"|부재)",
    re.IGNORECASE,
)
DAEMONS: Final = re.compile(
    r"(?<![\w.])(mailer-?daemon|mail-?daemon|postmaster|mdaemon)(?![\w.])",
    re.IGNORECASE,
)


class Mailbox(Enum):
    """The mailbox of ours that a mail came to."""

    BOUNCES = "bounces"
    UNSUBSCRIBE = "unsubscribe"
    UNKNOWN = "unknown"


class Report(Enum):
    """The machine-readable report in a mail; Exim's is a header line."""

    DELIVERY_STATUS = "delivery-status"
    FEEDBACK = "feedback-report"
    DISPOSITION = "disposition-notification"
    FAILED_RECIPIENTS = "failed-recipients"
    NONE = "none"


class MailClass(StrEnum):
    """The class of an incoming mail; each has one handler."""

    BOUNCE = "bounce"
    COMPLAINT = "complaint"
    UNSUBSCRIBE = "unsubscribe"
    AUTOMATIC_REPLY = "automatic_reply"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class MailFacts:
    """The facts about a mail that decide its class."""

    mailbox: Mailbox
    report: Report
    is_automatic_reply: bool
    is_from_daemon: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class VerpMark:
    """The mail and the MAC in an address that a mail came to; not verified."""

    mail: str
    mac: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassRule:
    """A row of the table; a value that is None matches everything."""

    report: Report | None = None
    mailbox: Mailbox | None = None
    is_automatic_reply: bool | None = None
    is_from_daemon: bool | None = None
    result: MailClass

    def matches(self, facts: MailFacts) -> bool:
        """Whether all values of the row are those of the mail."""
        return (
            self.report in (None, facts.report)
            and self.mailbox in (None, facts.mailbox)
            and self.is_automatic_reply in (None, facts.is_automatic_reply)
            and self.is_from_daemon in (None, facts.is_from_daemon)
        )


# The first matching row decides. A delivery status is a bounce though it is
# auto-submitted, as RFC 3834 asks for; an answering machine is none, whatever it says.
CLASSES: Final[tuple[ClassRule, ...]] = (
    ClassRule(report=Report.FEEDBACK, result=MailClass.COMPLAINT),
    ClassRule(report=Report.DELIVERY_STATUS, result=MailClass.BOUNCE),
    ClassRule(report=Report.DISPOSITION, result=MailClass.AUTOMATIC_REPLY),
    ClassRule(report=Report.FAILED_RECIPIENTS, result=MailClass.BOUNCE),
    ClassRule(is_automatic_reply=True, result=MailClass.AUTOMATIC_REPLY),
    ClassRule(mailbox=Mailbox.BOUNCES, is_from_daemon=True, result=MailClass.BOUNCE),
    ClassRule(
        mailbox=Mailbox.UNSUBSCRIBE, is_from_daemon=False, result=MailClass.UNSUBSCRIBE
    ),
    ClassRule(result=MailClass.OTHER),
)


def class_of(facts: MailFacts) -> MailClass:
    """The class of a mail with these facts."""
    return next(rule.result for rule in CLASSES if rule.matches(facts))


def facts_of(mail: Part, bounce_domain: str) -> MailFacts:
    """The facts about a mail that decide its class."""
    headers = mail.headers
    return MailFacts(
        mailbox=_mailbox(headers, bounce_domain),
        report=_report(mail),
        is_automatic_reply=_is_automatic_reply(headers),
        is_from_daemon=_is_from_daemon(headers),
    )


def verp_marks(headers: Headers, domain: str, *names: str) -> list[VerpMark]:
    """The marks in the envelope recipients, or in the named headers instead."""
    pattern = re.compile(
        VERP.format(domain=re.escape(domain)), re.ASCII | re.IGNORECASE
    )
    found = (
        VerpMark(mail=mark[1].lower(), mac=mark[2].lower())
        for name in names or RECIPIENT_HEADERS
        for value in headers.all(name)
        for mark in pattern.finditer(value)
    )
    return list(dict.fromkeys(found))


def _mailbox(headers: Headers, domain: str) -> Mailbox:
    if verp_marks(headers, domain):
        return Mailbox.BOUNCES
    pattern = re.compile(
        UNSUBSCRIBE.format(
            local=re.escape(UNSUBSCRIBE_LOCAL_PART), domain=re.escape(domain)
        ),
        re.ASCII | re.IGNORECASE,
    )
    recipients = (value for name in RECIPIENT_HEADERS for value in headers.all(name))
    if any(map(pattern.search, recipients)):
        return Mailbox.UNSUBSCRIBE
    return Mailbox.UNKNOWN


def _report(mail: Part) -> Report:
    """By the declared type, and by the parts where gateways changed the declaration."""
    parts = list(mail.walk())
    types = {part.content_type for part in parts}
    declared = {part.report_type for part in parts}
    for report in (Report.FEEDBACK, Report.DELIVERY_STATUS, Report.DISPOSITION):
        names = {f"message/{report.value}", f"message/global-{report.value}"}
        if names & types or report.value in declared:
            return report
    if mail.headers.get("X-Failed-Recipients"):
        return Report.FAILED_RECIPIENTS
    return Report.NONE


def _is_automatic_reply(headers: Headers) -> bool:
    return bool(AUTOMATIC_SUBJECT.match(headers.text("Subject"))) or any(
        pattern.search(value)
        for name, pattern in AUTOMATIC_REPLY
        for value in headers.all(name)
    )


def _is_from_daemon(headers: Headers) -> bool:
    if headers.get("Return-Path").replace(" ", "") == "<>":
        return True
    return any(
        DAEMONS.search(value)
        for name in ("From", "Sender", "Return-Path")
        for value in headers.all(name)
    )
