"""Explain rules, facts and transitions in sentences (rule 25)."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from clp_core.channels import Channel
from clp_notifications.states import SENTENCES, MailMode, TransitionReason

ANY_ROUTE: Final = "R1-R4"
NOT_CONCERNED: Final = "not told: neither follows the project nor is mentioned"
NOT_YET: Final = "not looked at yet"

RULES: Final[Mapping[str, str]] = {
    "R1": "a broadcast is told to the external followers of the project",
    "R2": "a direct message of a partner is told to the internal followers",
    "R3": "a direct message of the studio is told to that partner's followers",
    "R4": "a message that mentions people is told to the people it mentions",
    "R1-R3": "followers are told of messages to their side",
    ANY_ROUTE: "only followers and mentioned people are told",
    "2": "people without access to the portal are never told",
    "13": "an edit tells only people whom it mentions anew",
    "22": "a mention replaces telling the followers",
    "23": "neither the author nor people who may not read the channel are told",
}
MODES: Final[Mapping[MailMode, str]] = {
    MailMode.AT_ONCE: "wants each mail at once",
    MailMode.BATCHED: "wants mails batched for a short while",
    MailMode.DAILY: "wants one digest a day",
    MailMode.OFF: "wants no mail about this project",
}
# Reasons that reveal what a reader read or chose.
CHOICES: Final = frozenset(
    {TransitionReason.READ, TransitionReason.MAIL_OFF, TransitionReason.UNFOLLOWED}
)
READER_CHOICE: Final = ("reader_choice", "withdrawn: not needed by its reader")


def visible_reason(reason: TransitionReason, *, sees_choices: bool) -> tuple[str, str]:
    """Return code and sentence of a transition, without choices of others (rule 31)."""
    if reason in CHOICES and not sees_choices:
        return READER_CHOICE
    if reason is TransitionReason.COMPLAINED and not sees_choices:
        reason = TransitionReason.ACCEPTED
    return reason.value, SENTENCES[reason]


def facts_of_message(
    channel: Channel, author: str, *, is_mentioned: bool
) -> tuple[str, ...]:
    """Return the facts that the rules use, of the message and one person."""
    kind = "the broadcast" if channel.partner is None else "a direct channel"
    mention = "the text mentions" if is_mentioned else "the text does not mention"
    return (
        f"the message is in {channel.name}, {kind}",
        f"{author} is the author",
        f"{mention} this person",
    )


def mail_mode_sentence(mode: MailMode | None, *, has_complained: bool = False) -> str:
    """Say when the person wants mails about the project."""
    if has_complained:
        return f"{MODES[MailMode.OFF]}: reported a mail as spam"
    if mode is None:
        return f"{MODES[MailMode.BATCHED]}, by default"
    return MODES[mode]


def due_sentence(kind: str, due_at: datetime) -> str:
    """Say when a waiting mail is due."""
    at = due_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return f"waits in a {kind} mail that is due at {at}"
