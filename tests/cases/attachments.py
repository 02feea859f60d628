"""Expected reasons of the attachment rows of ``hostile.json``."""

from clp_core.decisions import Reason
from tests.cases.loading import HostileCase

# The start of the expectation in the file -> the reason of the rules. Where the file
# leaves a choice, this is the choice made.
REASONS = {
    "accept": Reason.ALLOWED,
    "accept only with nosniff": Reason.ATTACHMENT_CONTENT_MISMATCH,
    "accept or reject:content": Reason.ATTACHMENT_CONTENT_MISMATCH,
    "neutralise": Reason.ALLOWED,
    "same": Reason.ALLOWED,
    "never interpreted": Reason.ALLOWED,
    "reject:content": Reason.ATTACHMENT_CONTENT_MISMATCH,
    "reject:content where images are decoded": Reason.ALLOWED,  # nothing decodes
    "reject:empty": Reason.ATTACHMENT_EMPTY,
    "reject:malware": Reason.ALLOWED,  # a scanner belongs to a service
    "reject:name": Reason.ATTACHMENT_NAME_UNSAFE,
    "reject:name or cut": Reason.ALLOWED,
    "reject:name, or strip": Reason.ALLOWED,
    "reject:size": Reason.ATTACHMENT_TOO_LARGE,
    "reject:total": Reason.ATTACHMENT_TOO_MANY,
    "reject:type": Reason.ATTACHMENT_TYPE_REFUSED,
    "reject:type or store literally": Reason.ATTACHMENT_CONTENT_MISMATCH,
}


def reason_for(case: HostileCase) -> Reason:
    """The expected reason of a row, by the longest matching start."""
    starts = (start for start in REASONS if case.expect.startswith(start))
    return REASONS[max(starts, key=len)]
