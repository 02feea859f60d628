"""The effect of every SMTP reply at every stage, as a total table (rule 41).

A refusal of the session, of a login or of relaying is a fault of ours: it pauses the
relay and costs no mail. Only what the relay states about a recipient or a mail counts
for these.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Final, NamedTuple

from clp_contracts.transition_reasons import TransitionReason


class SmtpStage(StrEnum):
    """The command that a reply answers (RFC 5321)."""

    GREETING = "greeting"
    EHLO = "EHLO"
    STARTTLS = "STARTTLS"
    AUTH = "AUTH"
    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    CONTENT = "content"


SESSION: Final = frozenset(
    {SmtpStage.GREETING, SmtpStage.EHLO, SmtpStage.STARTTLS, SmtpStage.AUTH}
)
TRANSACTION: Final = frozenset(SmtpStage) - SESSION
EVERY_STAGE: Final = frozenset(SmtpStage)


class Effect(Enum):
    """The effect of a reply on mails, recipients and the relay."""

    SENT = "sent"
    MAIL_AGAIN = "this mail is retried"
    PERSON_LATER = "all mails to this person wait, this one is retried"
    THROTTLED = "all mails wait, this one is retried"
    RELAY_REFUSED = "the relay refuses us: all mails wait, none fails"
    POLICY_REFUSED = "this mail waits; several in a row pause the relay"
    ADDRESS_REFUSED = "nothing more goes to this address"
    MAIL_DEAD = "this mail is dead"
    UNSENDABLE = "not sent: the relay lacks an extension"
    STALE = "not sent: the recheck is no longer current"


@dataclass(frozen=True, slots=True)
class SmtpOutcome:
    """The result of sending one mail; ``code`` is 0 without a reply."""

    effect: Effect
    reason: TransitionReason
    code: int = 0
    stage: SmtpStage = SmtpStage.CONTENT


# Called right before the content of a mail is sent.
MaySend = Callable[[], bool]

ACCEPTED: Final = SmtpOutcome(Effect.SENT, TransitionReason.ACCEPTED)
RELAY_UNAVAILABLE: Final = SmtpOutcome(
    Effect.THROTTLED, TransitionReason.RELAY_UNAVAILABLE
)
NO_SMTPUTF8: Final = SmtpOutcome(Effect.UNSENDABLE, TransitionReason.NO_SMTPUTF8)
STALE: Final = SmtpOutcome(Effect.STALE, TransitionReason.RELEASED)

ENHANCED: Final = re.compile(rb"\s*([245]\.\d{1,3}\.\d{1,3})(?:\s|$)")
# Servers say it in many ways, and often without a class or with a wrong one.
RELAYING_DENIED: Final = re.compile(
    rb"relay(ing)?( access)?( is)? (not (permitted|allowed)|denied|prohibited)"
    rb"|(not|un)(able| permitted| allowed| authorized)? to relay|do(es)? not relay"
    rb"|rcpthosts|auth(entication|orization)? (is )?required|not authenticated"
    rb"|must (be )?(authenticate|issue a starttls)|sender not authorized",
    re.IGNORECASE,
)
MAILBOX_FULL: Final = re.compile(
    rb"(mail|in)?box( is|'s)?( over)?( full|flow)|quota|out of storage|over ?limit",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply of the relay to the command of a stage."""

    stage: SmtpStage
    code: int
    text: bytes = b""

    @property
    def enhanced(self) -> str:
        """The enhanced status code (RFC 3463), or an empty string."""
        found = ENHANCED.match(self.text)
        return found[1].decode() if found else ""


class ReplyRule(NamedTuple):
    """A row of the table: which replies, and their effect and reason.

    ``code`` is the beginning of a reply code. An ``enhanced`` code that ends with a dot
    matches all that begin with it, and an empty one matches all. ``text`` must occur in
    the text, where it is given.
    """

    stages: frozenset[SmtpStage]
    code: str
    enhanced: str
    text: re.Pattern[bytes] | None
    result: tuple[Effect, TransitionReason]

    def matches(self, reply: Reply) -> bool:
        """Whether the row is about this reply."""
        return (
            reply.stage in self.stages
            and f"{reply.code:03}".startswith(self.code)
            and _matches(reply.enhanced, self.enhanced)
            and (self.text is None or self.text.search(reply.text) is not None)
        )


def _matches(enhanced: str, row: str) -> bool:
    return enhanced.startswith(row) if row.endswith(".") or not row else enhanced == row


_SENT: Final = (Effect.SENT, TransitionReason.ACCEPTED)
_DEAD: Final = (Effect.MAIL_DEAD, TransitionReason.REFUSED)
_UNSENDABLE: Final = (Effect.UNSENDABLE, TransitionReason.NO_SMTPUTF8)
_REFUSED: Final = (Effect.RELAY_REFUSED, TransitionReason.RELAY_REFUSED)
_BUSY: Final = (Effect.THROTTLED, TransitionReason.RELAY_BUSY)
_POLICY: Final = (Effect.POLICY_REFUSED, TransitionReason.POLICY)
_UNKNOWN: Final = (Effect.ADDRESS_REFUSED, TransitionReason.ADDRESS_UNKNOWN)
_FULL: Final = (Effect.PERSON_LATER, TransitionReason.MAILBOX_BUSY)
_LATER: Final = (Effect.MAIL_AGAIN, TransitionReason.MAILBOX_BUSY)
_TOO_BIG: Final = (Effect.MAIL_DEAD, TransitionReason.TOO_BIG)
_AT_MAIL: Final = frozenset({SmtpStage.MAIL})
_AT_RCPT: Final = frozenset({SmtpStage.RCPT})
_AT_CONTENT: Final = frozenset({SmtpStage.CONTENT})

# The first matching row decides.
# fmt: off
REPLIES: Final[tuple[ReplyRule, ...]] = (
    #         stages           code   enhanced  text              effect and reason
    ReplyRule(_AT_CONTENT,     "2",   "",       None,             _SENT),
    # The service closes for now (RFC 5321, section 3.8).
    ReplyRule(EVERY_STAGE,     "421", "",       None,             _BUSY),
    # Every other refusal before MAIL is about us, and so is a missing login after it.
    ReplyRule(SESSION,         "",    "",       None,             _REFUSED),
    ReplyRule(TRANSACTION,     "530", "",       None,             _REFUSED),
    ReplyRule(TRANSACTION,     "534", "",       None,             _REFUSED),
    ReplyRule(TRANSACTION,     "535", "",       None,             _REFUSED),
    ReplyRule(TRANSACTION,     "538", "",       None,             _REFUSED),
    ReplyRule(TRANSACTION,     "4",   "",       RELAYING_DENIED,  _REFUSED),
    ReplyRule(TRANSACTION,     "5",   "",       RELAYING_DENIED,  _REFUSED),
    ReplyRule(TRANSACTION,     "454", "",       None,             _BUSY),
    ReplyRule(TRANSACTION,     "4",   "4.7.",   None,             _BUSY),
    ReplyRule(TRANSACTION,     "4",   "4.1.7",  None,             _POLICY),
    ReplyRule(TRANSACTION,     "4",   "4.1.8",  None,             _POLICY),
    ReplyRule(TRANSACTION,     "4",   "4.2.2",  None,             _FULL),
    ReplyRule(TRANSACTION,     "4",   "",       None,             _LATER),
    ReplyRule(TRANSACTION,     "5",   "5.6.7",  None,             _UNSENDABLE),
    ReplyRule(TRANSACTION,     "5",   "5.7.",   None,             _POLICY),
    ReplyRule(TRANSACTION,     "5",   "5.1.7",  None,             _POLICY),
    ReplyRule(TRANSACTION,     "5",   "5.1.8",  None,             _POLICY),
    ReplyRule(TRANSACTION,     "5",   "5.2.2",  None,             _FULL),
    ReplyRule(_AT_MAIL,        "552", "",       None,             _TOO_BIG),
    ReplyRule(TRANSACTION,     "5",   "5.3.4",  None,             _TOO_BIG),
    ReplyRule(TRANSACTION,     "5",   "5.2.3",  None,             _TOO_BIG),
    # All else that is refused at MAIL is about our sender.
    ReplyRule(_AT_MAIL,        "5",   "",       None,             _REFUSED),
    ReplyRule(TRANSACTION,     "5",   "5.1.",   None,             _UNKNOWN),
    ReplyRule(TRANSACTION,     "5",   "5.2.1",  None,             _UNKNOWN),
    ReplyRule(TRANSACTION,     "5",   "5.4.",   None,             _LATER),
    # RFC 5321, section 4.2.3: 552 is a full mailbox at RCPT and a large mail after it.
    ReplyRule(_AT_RCPT,        "552", "",       None,             _FULL),
    ReplyRule(TRANSACTION,     "552", "",       MAILBOX_FULL,     _FULL),
    ReplyRule(TRANSACTION,     "552", "",       None,             _TOO_BIG),
    ReplyRule(TRANSACTION,     "5",   "",       None,             _DEAD),
    # A reply that no server may send counts as busy.
    ReplyRule(EVERY_STAGE,     "",    "",       None,             _BUSY),
)
# fmt: on


def outcome_of_reply(
    code: int, text: bytes, smtp_stage: SmtpStage = SmtpStage.CONTENT
) -> SmtpOutcome:
    """The outcome of an SMTP reply to the command of a stage."""
    reply = Reply(smtp_stage, code, text)
    effect, reason = next(rule.result for rule in REPLIES if rule.matches(reply))
    return SmtpOutcome(effect, reason, code, smtp_stage)
