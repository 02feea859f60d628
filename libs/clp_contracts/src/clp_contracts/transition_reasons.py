"""Why a notification changed its state, with a sentence for each; append-only."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class TransitionReason(StrEnum):
    """Why a notification changed its state."""

    ROUTED = "routed"
    CLAIMED = "claimed"
    ACCEPTED = "accepted"
    REDRIVEN = "redriven"
    MENTIONED = "mentioned"
    REROUTED = "rerouted"
    # due again
    LEASE_EXPIRED = "lease_expired"
    RELEASED = "released"
    SERVICES_UNAVAILABLE = "services_unavailable"
    RELAY_UNAVAILABLE = "relay_unavailable"
    RELAY_BUSY = "relay_busy"
    RELAY_REFUSED = "relay_refused"
    POLICY = "policy"
    MAILBOX_BUSY = "mailbox_busy"
    FAULT = "fault"
    # suppressed: the mail was withdrawn before it was sent
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
    # dead: failed for good, can be redriven
    ADDRESS_UNKNOWN = "address_unknown"
    REFUSED = "refused"
    TOO_BIG = "too_big"
    EXPIRED = "expired"
    BOUNCED = "bounced"
    MAIL_BOUNCED = "mail_bounced"
    # sent
    BOUNCED_FOR_NOW = "bounced_for_now"
    COMPLAINED = "complained"


SENTENCES: Final[Mapping[str, str]] = {
    TransitionReason.ROUTED: "waits for its mail",
    TransitionReason.CLAIMED: "is being mailed",
    TransitionReason.ACCEPTED: "the mail server accepted the mail",
    TransitionReason.MENTIONED: "an edit mentions them; waits for its mail",
    TransitionReason.REROUTED: "no mention is left; waits for its mail as a follower",
    TransitionReason.REDRIVEN: "redriven by an operator",
    TransitionReason.LEASE_EXPIRED: "its worker stopped; it is retried",
    TransitionReason.RELEASED: "was not sent in time; it is retried",
    TransitionReason.SERVICES_UNAVAILABLE: "access was not checked; it is retried",
    TransitionReason.RELAY_UNAVAILABLE: "the mail server was away; it is retried",
    TransitionReason.RELAY_BUSY: "the mail server throttles mails; it is retried",
    TransitionReason.RELAY_REFUSED: "the mail server refuses us; it is retried",
    TransitionReason.POLICY: "the policy of a mail server refuses us; it is retried",
    TransitionReason.MAILBOX_BUSY: "the mailbox does not accept it now; it is retried",
    TransitionReason.FAULT: "the mail could not be composed; it is retried",
    TransitionReason.NO_ACCESS: "withdrawn: may no longer read the channel",
    TransitionReason.DELETED: "withdrawn: the message was deleted",
    TransitionReason.MENTION_REMOVED: "withdrawn: the text no longer mentions them",
    TransitionReason.UNFOLLOWED: "withdrawn: no longer follows the project",
    TransitionReason.READ: "withdrawn: had read the message",
    TransitionReason.MAIL_OFF: "withdrawn: wants no mail about this project",
    TransitionReason.ADDRESS_MALFORMED: "withdrawn: the mail address is malformed",
    TransitionReason.UNDELIVERABLE: "withdrawn: the domain is reserved",
    TransitionReason.ADDRESS_SUPPRESSED: "withdrawn: the mail address is suppressed",
    TransitionReason.NO_SMTPUTF8: "withdrawn: the address needs SMTPUTF8",
    TransitionReason.ADDRESS_UNKNOWN: "failed: the mail server knows no such address",
    TransitionReason.REFUSED: "failed: the mail server refused the mail",
    TransitionReason.TOO_BIG: "failed: the mail is too big for the mail server",
    TransitionReason.EXPIRED: "failed: it was retried for three days",
    TransitionReason.BOUNCED: "failed: the mail bounced, the address accepts none",
    TransitionReason.MAIL_BOUNCED: "failed: the mail bounced",
    TransitionReason.COMPLAINED: "its reader reported the mail as spam",
    TransitionReason.BOUNCED_FOR_NOW: "the mail bounced, the mailbox did not accept it",
}
