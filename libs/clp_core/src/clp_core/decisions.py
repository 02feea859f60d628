"""The result of a rule: allowed, or refused for one stable reason."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import Final


def _as_written(self: Enum) -> str:
    return f"{type(self).__name__}.{self.name}"


class Code(StrEnum):
    """Public codes: values are only appended; `repr` is the name in code.

    >>> Reason.CHANNEL_MISSING
    Reason.CHANNEL_MISSING
    >>> str(Reason.CHANNEL_MISSING)
    'channel.missing'
    """

    __repr__ = _as_written
    # A member equals its value and so needs the same hash; ten times faster than
    # the hash of an Enum.
    __hash__ = str.__hash__


class Reason(Code):
    """The reason of a decision: why it is refused, or that it is allowed."""

    ALLOWED = "allowed"
    # Missing and forbidden share a code, so that a refusal reveals nothing (rule 5).
    PROJECT_MISSING = "project.missing"
    CHANNEL_MISSING = "channel.missing"
    MESSAGE_MISSING = "message.missing"
    PERSON_MISSING = "person.missing"
    BROADCAST_INTERNAL_ONLY = "broadcast.internal_only"
    MESSAGE_NOT_YOURS = "message.not_yours"
    MESSAGE_DELETED = "message.deleted"
    TEXT_EMPTY = "text.empty"
    TEXT_TOO_LONG = "text.too_long"
    TEXT_MALFORMED = "text.malformed"
    IDEMPOTENCY_KEY_MALFORMED = "idempotency_key.malformed"
    IDEMPOTENCY_KEY_REUSED = "idempotency_key.reused"
    MENTION_TOO_MANY = "mention.too_many"
    ATTACHMENT_MISSING = "attachment.missing"
    ATTACHMENT_EMPTY = "attachment.empty"
    ATTACHMENT_TOO_LARGE = "attachment.too_large"
    ATTACHMENT_TOO_MANY = "attachment.too_many"
    ATTACHMENT_NAME_UNSAFE = "attachment.name_unsafe"
    ATTACHMENT_TYPE_REFUSED = "attachment.type_refused"
    ATTACHMENT_CONTENT_MISMATCH = "attachment.content_mismatch"
    ATTACHMENT_QUOTA_SPENT = "attachment.quota_spent"
    ATTACHMENT_PARTNER_QUOTA_SPENT = "attachment.partner_quota_spent"


# Attribute access on an Enum costs more than the comparison.
_YES: Final = Reason.ALLOWED


@dataclass(frozen=True, slots=True)
class Decision:
    """The result of a rule, with its reason; true only when allowed.

    `detail` names the limit or the character that a refusal is about, in values that
    JSON can carry. Decisions with the same reason are equal.

    >>> bool(ALLOWED), bool(Decision(Reason.CHANNEL_MISSING))
    (True, False)
    """

    reason: Reason
    detail: Mapping[str, object] = field(
        default_factory=dict[str, object], repr=False, compare=False, kw_only=True
    )

    def __bool__(self) -> bool:
        """A refusal is falsy, so ``if may_read(...)`` cannot fail open."""
        return self.reason is _YES


ALLOWED: Final = Decision(Reason.ALLOWED)


class InvalidValue(ValueError):
    """An impossible value, such as a malformed channel name."""
