"""Tell people the limits of messages and attachments."""

from clp_contracts.policy import Policy
from clp_core.attachments import AttachmentPolicy
from clp_core.mentions import PUBLISHED_MENTIONS
from clp_core.messages import PUBLISHED_TEXT


def published(attachments: AttachmentPolicy) -> Policy:
    """Return the limits in force, for a page to show before anything is refused."""
    return Policy(
        extensions=tuple(sorted(attachments.accepted_extensions)),
        max_bytes=attachments.max_bytes,
        max_files=attachments.max_per_message,
        max_characters=PUBLISHED_TEXT.max_characters,
        max_people=PUBLISHED_MENTIONS.max_people,
    )
