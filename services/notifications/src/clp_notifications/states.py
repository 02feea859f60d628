"""Where a notification stands and why, with sentences. Only ever appended to."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class State(StrEnum):
    """The state of a notification: due, claimed, then due again or one of the ends."""

    DUE = "due"
    CLAIMED = "claimed"
    SENT = "sent"
    SUPPRESSED = "suppressed"
    DEAD = "dead"


class Because(StrEnum):
    """Why a notification went to its state."""

    ROUTED = "routed"
    CLAIMED = "claimed"
    ACCEPTED = "accepted"
    REDRIVEN = "redriven"
    # due again
    LEASE_EXPIRED = "lease_expired"
    GIVEN_BACK = "given_back"
    SERVICES_AWAY = "services_away"
    RELAY_AWAY = "relay_away"
    RELAY_BUSY = "relay_busy"
    MAILBOX_BUSY = "mailbox_busy"
    FAULT = "fault"
    # suppressed: the mail was withdrawn before it left
    NO_ACCESS = "no_access"
    DELETED = "deleted"
    MENTION_REMOVED = "mention_removed"
    UNFOLLOWED = "unfollowed"
    READ = "read"
    MAIL_OFF = "mail_off"
    ADDRESS_MALFORMED = "address_malformed"
    UNDELIVERABLE = "undeliverable"
    ADDRESS_SUPPRESSED = "address_suppressed"
    NO_SMTPUTF8 = "no_smtputf8"
    # dead: given up, can be sent again
    ADDRESS_UNKNOWN = "address_unknown"
    REFUSED = "refused"
    TOO_BIG = "too_big"
    POLICY = "policy"
    GIVEN_UP = "given_up"
    BOUNCED = "bounced"
    # sent, and yet
    BOUNCED_FOR_NOW = "bounced_for_now"


SENTENCES: Final[Mapping[Because, str]] = {
    Because.ROUTED: "waits for its mail",
    Because.CLAIMED: "is being mailed",
    Because.ACCEPTED: "the mail was handed over",
    Because.REDRIVEN: "an operator sent it again",
    Because.LEASE_EXPIRED: "the program that mailed it stopped; it is tried again",
    Because.GIVEN_BACK: "was not tried in time; it is tried again",
    Because.SERVICES_AWAY: "access could not be asked; it is tried again",
    Because.RELAY_AWAY: "the mail server could not be reached; it is tried again",
    Because.RELAY_BUSY: "the mail server wants fewer mails; it is tried again",
    Because.MAILBOX_BUSY: "the mailbox does not take it now; it is tried again",
    Because.FAULT: "the mail could not be made; it is tried again",
    Because.NO_ACCESS: "withdrawn: may not read the channel any more",
    Because.DELETED: "withdrawn: the message was deleted",
    Because.MENTION_REMOVED: "withdrawn: the text mentions them no more",
    Because.UNFOLLOWED: "withdrawn: follows the project no more",
    Because.READ: "withdrawn: had read the message",
    Because.MAIL_OFF: "withdrawn: wants no mail about this project",
    Because.ADDRESS_MALFORMED: "withdrawn: the address is not one to write to",
    Because.UNDELIVERABLE: "withdrawn: nobody can get mail at that domain",
    Because.ADDRESS_SUPPRESSED: "withdrawn: the address refused mail before",
    Because.NO_SMTPUTF8: "withdrawn: the mail server takes no such address",
    Because.ADDRESS_UNKNOWN: "given up: the mail server knows no such address",
    Because.REFUSED: "given up: the mail server refused the mail",
    Because.TOO_BIG: "given up: the mail server found the mail too big",
    Because.POLICY: "given up: the mail server refused it by its policy",
    Because.GIVEN_UP: "given up: it was tried for three days",
    Because.BOUNCED: "given up: the mail came back, the address takes none",
    Because.BOUNCED_FOR_NOW: "the mail came back, the mailbox did not take it then",
}


class MailMode(StrEnum):
    """When a person wants mails; a mention never waits, but is stopped by off."""

    AT_ONCE = "at_once"
    BATCHED = "batched"
    DAILY = "daily"
    OFF = "off"
