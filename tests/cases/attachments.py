"""What the rules answer to the attachment rows of ``hostile.json``."""

from clp_core.decisions import Reason
from tests.cases.loading import HostileCase

# The start of what the file expects -> what the rules answer. Where the file leaves a
# choice, this is the choice made.
ANSWERS = {
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


def answer_to(case: HostileCase) -> Reason:
    """The answer to a row, by the longest start of what it expects."""
    starts = (start for start in ANSWERS if case.expect.startswith(start))
    return ANSWERS[max(starts, key=len)]
