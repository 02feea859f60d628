"""States of notifications, and when a person wants mails; append-only."""

from enum import StrEnum


class State(StrEnum):
    """The state of a notification: due, claimed, then due again or a final one."""

    DUE = "due"
    CLAIMED = "claimed"
    SENT = "sent"
    SUPPRESSED = "suppressed"
    DEAD = "dead"


class MailMode(StrEnum):
    """The mail mode of a person; a mention never waits for it, and off stops it."""

    AT_ONCE = "at_once"
    BATCHED = "batched"
    DAILY = "daily"
    OFF = "off"
