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
    """When a person wants mails; a mention never waits, but is stopped by off."""

    AT_ONCE = "at_once"
    BATCHED = "batched"
    DAILY = "daily"
    OFF = "off"
