"""What a mail server's answer means for the mail, the person, the address, the lane."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from clp_notifications.states import Because


class Effect(Enum):
    """How far an answer reaches."""

    SENT = "sent"
    MAIL_AGAIN = "this mail is tried again"
    PERSON_LATER = "all mails to this person wait, this one is tried again"
    LANE_SLOWER = "all mails wait, this one is tried again"
    ADDRESS_REFUSED = "nothing more goes to this address"
    MAIL_DEAD = "this mail is given up"
    POLICY_REFUSED = "this mail is given up; many of them stop the lane"
    UNSENDABLE = "no try was made: the server lacks an extension"
    STALE = "no try was made: what was asked at the door is too old"


@dataclass(frozen=True, slots=True)
class Answer:
    """The final answer to one hand-over."""

    effect: Effect
    because: Because
    code: int = 0


# Asked right before the content of a mail leaves.
MayLeave = Callable[[], bool]

ACCEPTED: Final = Answer(Effect.SENT, Because.ACCEPTED)
RELAY_AWAY: Final = Answer(Effect.LANE_SLOWER, Because.RELAY_AWAY)
NO_SMTPUTF8: Final = Answer(Effect.UNSENDABLE, Because.NO_SMTPUTF8)
STALE: Final = Answer(Effect.STALE, Because.GIVEN_BACK)

ENHANCED: Final = re.compile(rb"\s*([245]\.\d{1,3}\.\d{1,3})(?:\s|$)")

# The first line that fits decides: code, start of the enhanced code, what it means.
ANSWERS: Final[tuple[tuple[str, str, Effect, Because], ...]] = (
    ("2", "", Effect.SENT, Because.ACCEPTED),
    ("421", "", Effect.LANE_SLOWER, Because.RELAY_BUSY),
    ("454", "", Effect.LANE_SLOWER, Because.RELAY_BUSY),
    ("4", "4.7.", Effect.LANE_SLOWER, Because.RELAY_BUSY),
    ("4", "4.2.2", Effect.PERSON_LATER, Because.MAILBOX_BUSY),
    ("4", "", Effect.MAIL_AGAIN, Because.MAILBOX_BUSY),
    ("5", "5.1.1", Effect.ADDRESS_REFUSED, Because.ADDRESS_UNKNOWN),
    ("5", "5.1.10", Effect.ADDRESS_REFUSED, Because.ADDRESS_UNKNOWN),
    ("5", "5.7.", Effect.POLICY_REFUSED, Because.POLICY),
    ("552", "", Effect.MAIL_DEAD, Because.TOO_BIG),
    ("5", "5.3.4", Effect.MAIL_DEAD, Because.TOO_BIG),
    ("5", "", Effect.MAIL_DEAD, Because.REFUSED),
)


def answer_of(code: int, text: bytes) -> Answer:
    """The meaning of an SMTP reply; what nobody should answer counts as busy."""
    found = ENHANCED.match(text)
    enhanced = found[1].decode() if found else ""
    for start, detail, effect, because in ANSWERS:
        if str(code).startswith(start) and _fits(enhanced, detail):
            return Answer(effect, because, code)
    return Answer(Effect.LANE_SLOWER, Because.RELAY_BUSY, code)


def _fits(enhanced: str, detail: str) -> bool:
    if detail.endswith(".") or not detail:
        return enhanced.startswith(detail)
    return enhanced == detail
