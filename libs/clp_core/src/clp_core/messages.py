"""Texts, idempotency keys, editing and deleting (rules 9, 10 and 12)."""

import re
from dataclasses import dataclass
from typing import Final

from clp_core.channels import Channel, Project
from clp_core.decisions import ALLOWED, Decision, InvalidValue, Reason
from clp_core.people import PUBLISHED_ACCESS, AccessPolicy, Author, PersonId, Side
from clp_core.visibility import may_post, may_read
from clp_core.visible_text import code_point, is_blank

# PostgreSQL stores no NUL; UTF-8 encodes no lone surrogate.
UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class TextPolicy:
    """Limits of a text and an idempotency key, in characters (rules 9 and 10).

    White space around a text is stored but not counted, so it has a limit of its
    own.

    Raises:
        InvalidValue: if a limit is below 1.
    """

    max_characters: int = 10_000
    max_padding: int = 10_000
    max_idempotency_key: int = 128

    def __post_init__(self) -> None:
        """A limit that admits nothing is a mistake."""
        for name in ("max_characters", "max_padding", "max_idempotency_key"):
            if getattr(self, name) < 1:
                raise InvalidValue(f"{name}: must be at least 1")


PUBLISHED_TEXT: Final = TextPolicy()


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageFacts:
    """The facts of a message, without its text (rules 11 and 12).

    `number` counts from 1 in its channel; `deleted` leaves a tombstone.
    """

    channel: Channel
    number: int
    author: PersonId
    deleted: bool = False


def judge_text(
    text: str, attachments: int = 0, policy: TextPolicy = PUBLISHED_TEXT
) -> Decision:
    """Require a visible text, or at least one attachment (rule 9).

    Lengths are code points. The detail of a refusal has the ``character`` that cannot
    be stored, or ``max_characters`` with ``characters`` or ``max_padding``.

    >>> judge_text("Hello")
    Decision(reason=Reason.ALLOWED)
    >>> judge_text("  ").reason, judge_text("  ", attachments=1).reason
    (Reason.TEXT_EMPTY, Reason.ALLOWED)
    """
    if unstorable := UNSTORABLE.search(text):
        return Decision(
            Reason.TEXT_MALFORMED, detail={"character": code_point(unstorable[0])}
        )
    if not attachments and is_blank(text):
        return Decision(Reason.TEXT_EMPTY)
    characters = len(text.strip())
    if characters > policy.max_characters:
        limits = {"max_characters": policy.max_characters, "characters": characters}
        return Decision(Reason.TEXT_TOO_LONG, detail=limits)
    if len(text) - characters > policy.max_padding:
        limits = {
            "max_characters": policy.max_characters,
            "max_padding": policy.max_padding,
        }
        return Decision(Reason.TEXT_TOO_LONG, detail=limits)
    return ALLOWED


def judge_idempotency_key(key: str, policy: TextPolicy = PUBLISHED_TEXT) -> Decision:
    """An idempotency key is 1 to 128 printable characters (rule 10).

    The detail of a refusal has ``max_characters``.

    >>> judge_idempotency_key("draft-7")
    Decision(reason=Reason.ALLOWED)
    """
    if 1 <= len(key) <= policy.max_idempotency_key and key.isprintable():
        return ALLOWED
    return Decision(
        Reason.IDEMPOTENCY_KEY_MALFORMED,
        detail={"max_characters": policy.max_idempotency_key},
    )


def may_edit(
    actor: Author,
    message: MessageFacts,
    project: Project,
    *,
    access: AccessPolicy = PUBLISHED_ACCESS,
) -> Decision:
    """Only the author edits, and only where they may still post (rule 12).

    A hidden message is refused as a missing one (rule 5), a tombstone as deleted.
    """
    if not (touching := _may_touch(actor, message, project, access=access)):
        return touching
    if actor.id != message.author:
        return Decision(Reason.MESSAGE_NOT_YOURS)
    # An author who changed sides must not reach other partners by an edit.
    return may_post(actor, message.channel, project, access=access)


def may_delete(
    actor: Author,
    message: MessageFacts,
    project: Project,
    *,
    access: AccessPolicy = PUBLISHED_ACCESS,
) -> Decision:
    """The author deletes their own message, internal people any (rule 12).

    A hidden message is refused as a missing one (rule 5), a tombstone as deleted.
    """
    if not (touching := _may_touch(actor, message, project, access=access)):
        return touching
    if actor.id == message.author or actor.side is Side.INTERNAL:
        return ALLOWED
    return Decision(Reason.MESSAGE_NOT_YOURS)


def may_audit(
    actor: Author,
    message: MessageFacts,
    project: Project,
    *,
    access: AccessPolicy = PUBLISHED_ACCESS,
) -> Decision:
    """Internal people read earlier texts, deleted or not (rule 12).

    For everybody else the message is missing, their own included.
    """
    reading = may_read(actor, message.channel, project, access=access)
    if reading and actor.side is Side.INTERNAL:
        return ALLOWED
    return Decision(Reason.MESSAGE_MISSING)


def _may_touch(
    actor: Author, message: MessageFacts, project: Project, *, access: AccessPolicy
) -> Decision:
    """A hidden message is a missing one (rule 5); readers see a tombstone."""
    if not may_read(actor, message.channel, project, access=access):
        return Decision(Reason.MESSAGE_MISSING)
    return Decision(Reason.MESSAGE_DELETED) if message.deleted else ALLOWED
