"""Read bounces in the formats before RFC 3464: addresses by a library, and statuses.

The text of such a bounce ends in a copy of the mail, written by people: a version
number in it is no status. The library takes minutes for a megabyte of empty lines, so
it gets the beginning only, and few empty lines.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from email import message_from_string
from email.message import Message
from typing import Final

from flufl.bounce import all_failures

from clp_notifications.inbound.mime import Part

MAX_TEXT: Final = 20_000
TEXTS: Final = frozenset({"text/plain", "text/html"})
# Headers by which the library tells mail servers apart.
HEADERS: Final = (
    *("From", "Subject", "X-Mailer", "X-Failed-Recipients"),
    *("MIME-Version", "Content-Type"),
)
EMPTY_LINES: Final = re.compile(r"\n{3,}")
# Where the copy of the mail begins.
COPY: Final = re.compile(
    r"^[ \t]*(?:-{2,}[ \t]*)?(?:below this line|(?:this|included) is a copy"
    r"|(?:the )?(?:header of the )?(?:original|unsent|returned) message"
    r"|message headers? follow)"
    r"|^(?:return-path|received|message-id|list-unsubscribe)[ \t]*:",
    re.IGNORECASE | re.MULTILINE,
)
QUOTED: Final = re.compile(r"^> .*$", re.MULTILINE)
# After the reply code, or marked as a status: `550 5.1.1`, `(#5.1.1)`, `Status: 5.1.1`.
STATUS: Final = re.compile(
    r"(?:\b[245]\d\d[ -]#?|#|\(|\bstatus(?:[ -]code)?[:=]? ?)"
    r"([245]\.\d{1,3}\.\d{1,3})(?!\.?\d)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OlderFailures:
    """The addresses in a bounce that only people can read, and its statuses."""

    permanent: tuple[str, ...]
    temporary: tuple[str, ...]
    statuses: frozenset[str]


def older_failures(mail: Part, raw: bytes) -> OlderFailures:
    """The failed addresses in a bounce, and the enhanced status codes of its text."""
    text = "\n".join(_texts(mail))[:MAX_TEXT]
    found = COPY.search(text)
    own = QUOTED.sub("", text if found is None else text[: found.start()])
    temporary, permanent = all_failures(_undecoded(mail, raw))
    if not temporary and not permanent:
        # The library decodes no text.
        temporary, permanent = all_failures(_decoded(mail, text))
    named = mail.headers.get("X-Failed-Recipients").split(",")
    return OlderFailures(
        permanent=(*_words(permanent), *(one.strip() for one in named)),
        temporary=tuple(_words(temporary)),
        statuses=frozenset(STATUS.findall(own)),
    )


def _texts(mail: Part) -> Iterator[str]:
    return (_shortened(part.text) for part in mail.walk() if part.content_type in TEXTS)


def _shortened(text: str) -> str:
    return EMPTY_LINES.sub("\n\n", text.replace("\r\n", "\n"))[:MAX_TEXT]


def _undecoded(mail: Part, raw: bytes) -> Message:
    body = raw.replace(b"\r\n", b"\n").partition(b"\n\n")[2]
    text = _shortened(body.decode("ascii", "surrogateescape"))
    return message_from_string(_head(mail, HEADERS) + text)


def _decoded(mail: Part, text: str) -> Message:
    return message_from_string(_head(mail, HEADERS[:-2]) + text)


def _head(mail: Part, names: Iterable[str]) -> str:
    lines = (f"{name}: {value}\n" for name in names for value in mail.headers.all(name))
    return "".join((*lines, "\n"))


def _words(addresses: Iterable[bytes]) -> Iterator[str]:
    for address in addresses:
        yield address.decode("utf-8", "replace").strip()
