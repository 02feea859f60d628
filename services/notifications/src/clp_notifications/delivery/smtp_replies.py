"""What an SMTP reply means for the mail, the person, the address and the relay."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from clp_notifications.states import TransitionReason


class Effect(Enum):
    """What a reply applies to."""

    SENT = "sent"
    MAIL_AGAIN = "this mail is retried"
    PERSON_LATER = "all mails to this person wait, this one is retried"
    THROTTLED = "all mails wait, this one is retried"
    ADDRESS_REFUSED = "nothing more goes to this address"
    MAIL_DEAD = "this mail is dead"
    POLICY_REFUSED = "this mail is dead; several in a row pause the relay"
    UNSENDABLE = "not sent: the relay lacks an extension"
    STALE = "not sent: the recheck is no longer current"


@dataclass(frozen=True, slots=True)
class SmtpOutcome:
    """The result of sending one mail."""

    effect: Effect
    because: TransitionReason
    code: int = 0


# Called right before the content of a mail is sent.
MaySend = Callable[[], bool]

ACCEPTED: Final = SmtpOutcome(Effect.SENT, TransitionReason.ACCEPTED)
RELAY_UNAVAILABLE: Final = SmtpOutcome(
    Effect.THROTTLED, TransitionReason.RELAY_UNAVAILABLE
)
NO_SMTPUTF8: Final = SmtpOutcome(Effect.UNSENDABLE, TransitionReason.NO_SMTPUTF8)
STALE: Final = SmtpOutcome(Effect.STALE, TransitionReason.RELEASED)

ENHANCED: Final = re.compile(rb"\s*([245]\.\d{1,3}\.\d{1,3})(?:\s|$)")

# The first matching row decides: code, enhanced code (RFC 3463), effect, reason. An
# enhanced code that ends with a dot matches every code that begins with it.
EFFECTS_OF_REPLIES: Final[tuple[tuple[str, str, Effect, TransitionReason], ...]] = (
    ("2", "", Effect.SENT, TransitionReason.ACCEPTED),
    ("421", "", Effect.THROTTLED, TransitionReason.RELAY_BUSY),
    ("454", "", Effect.THROTTLED, TransitionReason.RELAY_BUSY),
    ("4", "4.7.", Effect.THROTTLED, TransitionReason.RELAY_BUSY),
    ("4", "4.2.2", Effect.PERSON_LATER, TransitionReason.MAILBOX_BUSY),
    ("4", "", Effect.MAIL_AGAIN, TransitionReason.MAILBOX_BUSY),
    ("5", "5.1.1", Effect.ADDRESS_REFUSED, TransitionReason.ADDRESS_UNKNOWN),
    ("5", "5.1.10", Effect.ADDRESS_REFUSED, TransitionReason.ADDRESS_UNKNOWN),
    ("5", "5.7.", Effect.POLICY_REFUSED, TransitionReason.POLICY),
    ("552", "", Effect.MAIL_DEAD, TransitionReason.TOO_BIG),
    ("5", "5.3.4", Effect.MAIL_DEAD, TransitionReason.TOO_BIG),
    ("5", "", Effect.MAIL_DEAD, TransitionReason.REFUSED),
)


def outcome_of_reply(code: int, text: bytes) -> SmtpOutcome:
    """The outcome of an SMTP reply; an impossible reply counts as busy."""
    found = ENHANCED.match(text)
    enhanced = found[1].decode() if found else ""
    for start, detail, effect, because in EFFECTS_OF_REPLIES:
        if str(code).startswith(start) and _matches(enhanced, detail):
            return SmtpOutcome(effect, because, code)
    return SmtpOutcome(Effect.THROTTLED, TransitionReason.RELAY_BUSY, code)


def _matches(enhanced: str, detail: str) -> bool:
    if detail.endswith(".") or not detail:
        return enhanced.startswith(detail)
    return enhanced == detail
