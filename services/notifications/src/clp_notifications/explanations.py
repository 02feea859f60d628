"""What a support person reads out: rules, facts and steps as sentences (rule 25)."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from clp_core.channels import Channel
from clp_notifications.states import SENTENCES, Because, MailMode

ANY_ROUTE: Final = "R1-R4"
NOT_CONCERNED: Final = "not told: neither follows the project nor is mentioned"
NOT_YET: Final = "not looked at yet"

RULES: Final[Mapping[str, str]] = {
    "R1": "a broadcast is told to the external followers of the project",
    "R2": "what a partner writes directly is told to the internal followers",
    "R3": "what the studio writes directly is told to that partner's followers",
    "R4": "a message that mentions people is told to the people it mentions",
    "R1-R3": "followers are told of what their side is written",
    ANY_ROUTE: "only followers and mentioned people are told",
    "2": "whom the portal is closed to is never told",
    "13": "an edit tells only those whom it mentions anew",
    "22": "a mention takes the place of telling the followers",
    "23": "the author is never told, nor is anybody who may not read the channel",
}
MODES: Final[Mapping[MailMode, str]] = {
    MailMode.AT_ONCE: "wants each mail at once",
    MailMode.BATCHED: "wants mails batched for a short while",
    MailMode.DAILY: "wants one digest a day",
    MailMode.OFF: "wants no mail about this project",
}
# What somebody else's mail must not tell: what its reader read, and what they chose.
CHOICES: Final = frozenset({Because.READ, Because.MAIL_OFF, Because.UNFOLLOWED})
READERS_CHOICE: Final = ("reader_choice", "withdrawn: its reader has no use for it")


def shown_reason(because: Because, *, sees_choices: bool) -> tuple[str, str]:
    """The code and the sentence of a step, as far as the asker may know (rule 31)."""
    if because in CHOICES and not sees_choices:
        return READERS_CHOICE
    return because.value, SENTENCES[because]


def facts_of_message(
    channel: Channel, author: str, *, is_mentioned: bool
) -> tuple[str, ...]:
    """What the rules looked at, of the message and one person."""
    kind = "the broadcast" if channel.partner is None else "a direct channel"
    mention = "the text mentions" if is_mentioned else "the text does not mention"
    return (
        f"the message stands in {channel.name}, {kind}",
        f"{author} wrote it",
        f"{mention} this person",
    )


def choice(mode: MailMode | None) -> str:
    """When the person wants mails about the project."""
    if mode is None:
        return f"{MODES[MailMode.BATCHED]}, having chosen nothing"
    return MODES[mode]


def leaves_at(kind: str, due_at: datetime) -> str:
    """When a mail that waits is tried next."""
    at = due_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return f"waits in a {kind} mail that is due at {at}"
