"""Unsubscribe by mail: ``mailto:`` in List-Unsubscribe works as the link (rule 61)."""

import re
from collections.abc import Iterator
from enum import StrEnum
from itertools import islice
from typing import Final

from clp_notifications.dependencies import Dependencies
from clp_notifications.inbound.mime import Part
from clp_notifications.unsubscribe_tokens import TOKEN_LENGTH, unsubscribe

TOKEN: Final = re.compile(
    rf"(?<![\w-])[A-Za-z0-9_-]{{{TOKEN_LENGTH}}}(?![\w-])", re.ASCII
)
# The subject holds the token; some programs put the subject into the text.
MAX_TEXT: Final = 2_000
# What looks like one may be an id that a mail program quotes. Each is looked up.
MAX_TOKENS: Final = 10


class UnsubscribeEffect(StrEnum):
    """The effect of a mail to the unsubscribe address."""

    DONE = "done"
    UNKNOWN_TOKEN = "unknown_token"  # noqa: S105 - a label of a metric


def handle_unsubscribe(mail: Part, *, deps: Dependencies) -> UnsubscribeEffect:
    """Stop the mails that the token is about; the sender needs no other proof.

    Raises:
        MalformedMail: the text of the mail cannot be decoded.
    """
    done = [
        unsubscribe(deps.database, token, at=deps.clock())
        for token in dict.fromkeys(islice(_tokens(mail), MAX_TOKENS))
    ]
    return UnsubscribeEffect.DONE if any(done) else UnsubscribeEffect.UNKNOWN_TOKEN


def _tokens(mail: Part) -> Iterator[str]:
    yield from TOKEN.findall(mail.headers.text("Subject"))
    for part in mail.walk():
        if part.content_type == "text/plain":
            yield from TOKEN.findall(part.text[:MAX_TEXT])
