"""Judges the raw bytes of a mail by the header standard H1 to H17.

A parser repairs what it reads, so nothing here parses headers with one: lines are looked
at as they go over the wire. Each check gives sentences about what is wrong.
"""

import base64
import binascii
import quopri
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Final

from typing_extensions import override

ONCE: Final = (
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "X-Notification-Id",
    "In-Reply-To",
    "References",
    "List-Id",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "Auto-Submitted",
    "X-Auto-Response-Suppress",
    "Precedence",
    "Feedback-ID",
    "X-Notification-Reason",
    "MIME-Version",
    "Content-Type",
)
ONE_LINE: Final = (
    "List-Unsubscribe",
    "Message-ID",
    "References",
    "In-Reply-To",
    "X-Notification-Id",
)
EXACT: Final = {
    "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    "Auto-Submitted": "auto-generated",
    "X-Auto-Response-Suppress": "All",
    "Precedence": "list",
    "MIME-Version": "1.0",
}
WORD: Final = re.compile(r"=\?([^?\s]*)\?([^?\s]*)\?([^?\s]*)\?=")
PHRASE: Final = r'(?:"(?:[^"\\\r\n]|\\.)*"|(?:=\?utf-8\?[bq]\?[^?\s]+\?=\s?)+)'
DATE: Final = re.compile(
    r"[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d \+0000"
)
DOT_ATOM: Final = (
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
)
VERP: Final = re.compile(r"b\+[0-9a-z]+\.[0-9a-f]{16}@[a-z0-9.-]+")
# The sentence for each reason, in each language.
REASONS: Final = {
    "en": {
        "mention": "because you were mentioned",
        "broadcast": "this is a broadcast",
        "direct": "this is a direct message",
        "digest": "this is a digest",
    },
    "fr": {
        "mention": "votre nom y est mentionné",
        "broadcast": "d’une diffusion générale",
        "direct": "d’un message direct",
        "digest": "récapitule les messages",
    },
    "ja": {
        "mention": "メンションされた",
        "broadcast": "全体連絡のこのメール",
        "direct": "ダイレクトメッセージのこのメール",
        "digest": "メッセージのまとめである",
    },
    "ar": {
        "mention": "أُشير إليك",
        "broadcast": "وهذا بث عام",
        "direct": "وهذه رسالة مباشرة",
        "digest": "وهذا ملخّص",
    },
}
TAGS: Final = frozenset(
    [
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "div",
        "p",
        "bdi",
        "strong",
        "br",
        "ul",
        "li",
        "a",
    ]
)
ATTRIBUTES: Final = frozenset(
    ["lang", "charset", "name", "content", "class", "style", "dir", "href"]
)


@dataclass(frozen=True)
class MailParts:
    """A mail, cut where its lines say so."""

    headers: Mapping[str, list[str]]
    head: str
    parts: tuple[tuple[Mapping[str, str], bytes], ...]

    def one(self, name: str) -> str:
        """A header's value without its folds; empty when it is missing."""
        found = self.headers.get(name, [""])[0]
        return re.sub(r"\r\n(?=[ \t])", "", found)

    def decoded(self, index: int) -> str:
        headers, body = self.parts[index]
        if headers.get("Content-Transfer-Encoding") == "base64":
            return base64.b64decode(body).decode()
        return quopri.decodestring(body).decode()

    @property
    def text(self) -> str:
        return self.decoded(0).replace("\r\n", "\n")

    @property
    def html(self) -> str:
        return self.decoded(1).replace("\r\n", "\n")


def cut_up(data: bytes) -> MailParts:
    """Cut a mail into headers and parts."""
    head, _, body = data.partition(b"\r\n\r\n")
    # A byte that is not UTF-8 must be seen, not refused here.
    text = head.decode("utf-8", "surrogateescape")
    headers = _headers(text)
    found = re.search(r'boundary="([^"]+)"', text)
    parts: list[tuple[Mapping[str, str], bytes]] = []
    if found:
        pieces = re.split(rb"(?:^|\r\n)--" + re.escape(found[1].encode()), body)
        for piece in pieces[1:-1]:
            part_head, _, part_body = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
            part_headers = _headers(part_head.decode("ascii", "replace"))
            parts.append(({k: v[0] for k, v in part_headers.items()}, part_body))
    return MailParts(headers=headers, head=text, parts=tuple(parts))


def _headers(text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in re.split(r"\r\n(?![ \t])", text):
        name, _, value = line.partition(":")
        found.setdefault(name, []).append(value.removeprefix(" "))
    return found


def faults(data: bytes, *, sender: str, recipient: str) -> list[str]:
    """Everything that is wrong with a mail; none is right."""
    parts = cut_up(data)
    found = [
        *_line_faults(data, recipient),
        *_header_faults(parts),
        *_envelope_faults(parts, sender, recipient),
    ]
    if not found:
        for check in CHECKS:
            found.extend(check(parts))
    return found


def _line_faults(data: bytes, recipient: str) -> Iterator[str]:
    if re.search(rb"\r(?!\n)|(?<!\r)\n", data):
        yield "H13: a bare CR or LF"
    if any(len(line) > 998 for line in data.split(b"\r\n")):
        yield "H13: a line of more than 998 bytes"
    head, _, body = data.partition(b"\r\n\r\n")
    allowed = recipient.encode().decode("latin-1")
    for character in head.decode("latin-1"):
        if not (
            " " <= character <= "~"
            or character in "\r\n"
            or (character > "~" and character in allowed)
        ):
            yield f"H13: a header byte {character!r}"
            break
    if re.search(rb"[^\t\r\n -~]", body):
        yield "H13: a body byte that is not printable ASCII"
    if re.search(rb"(?:^|\r\n)\.", body):
        yield "H13: a line that begins with a dot"


def _header_faults(parts: MailParts) -> Iterator[str]:
    for name in ONCE:
        if len(parts.headers.get(name, [])) != 1:
            yield f"{name} stands {len(parts.headers.get(name, []))} times"
    for name in parts.headers.keys() - set(ONCE):
        yield f"H1: an unexpected header {name!r}"
    for line in parts.head.split("\r\n"):
        if "=?" in line and len(line) > 76:
            yield "H13: a line with encoded words of more than 76"
        if not line.strip():
            yield "H13: an empty line in a header"
    for word in WORD.finditer(parts.head):
        yield from _word_faults(word)


def _word_faults(word: re.Match[str]) -> Iterator[str]:
    charset, encoding, payload = word.groups()
    if len(word[0]) > 75:
        yield "H13: an encoded word of more than 75"
    if charset != "utf-8" or encoding not in "bq":
        yield f"an encoded word of {charset} {encoding}"
    try:
        raw = (
            base64.b64decode(payload, validate=True)
            if encoding == "b"
            else quopri.decodestring(payload, header=True)
        )
        raw.decode()
    except (binascii.Error, UnicodeDecodeError):
        yield "H13: an encoded word that cannot be read alone"


def _envelope_faults(parts: MailParts, sender: str, recipient: str) -> Iterator[str]:
    if not VERP.fullmatch(sender):
        yield "H11: the envelope sender is no bounce address of ours"
    mailbox = re.fullmatch(rf"(?:{PHRASE} ?)?<([^<>\s]+)>", parts.one("To"))
    if mailbox is None or mailbox[1] != recipient:
        yield "H1: To is not exactly the one recipient"
    if not re.fullmatch(rf"{PHRASE} ?<{DOT_ATOM}@[a-z0-9.-]+>", parts.one("From")):
        yield "From is not one mailbox with a name"


def _id_faults(parts: MailParts) -> Iterator[str]:
    message_id, thread = parts.one("Message-ID"), parts.one("References")
    if not re.fullmatch(rf"<n\.{DOT_ATOM}@[a-z0-9.-]+>", message_id):
        yield "H2: Message-ID"
    if f"<{parts.one('X-Notification-Id')}>" != message_id:
        yield "H3: X-Notification-Id is not the Message-ID"
    if not re.fullmatch(rf"<c\.{DOT_ATOM}@[a-z0-9.-]+>", thread) or len(thread) > 900:
        yield "H4: References"
    if parts.one("In-Reply-To") != thread:
        yield "H4: In-Reply-To is not References"
    local = re.sub(r".*<(.*)@.*", r"\1", parts.one("To"))
    if len(local) > 3 and local in message_id:
        yield "H2: the address stands in the Message-ID"


def _list_faults(parts: MailParts) -> Iterator[str]:
    if not re.fullmatch(rf"(?:{PHRASE} ?)?<{DOT_ATOM}>", parts.one("List-Id")):
        yield "H6: List-Id"
    if len(parts.one("List-Id").rpartition("<")[2]) > 256:
        yield "H6: a List-Id of more than 255"
    for name in ONE_LINE:
        if "\r\n" in parts.headers[name][0] or "=?" in parts.headers[name][0]:
            yield f"H7: {name} is folded or encoded"
    stop = r"<https://[^<>\s]+>, <mailto:[^<>\s]+>"
    if not re.fullmatch(stop, parts.one("List-Unsubscribe")):
        yield "H7: List-Unsubscribe"


def _exact_faults(parts: MailParts) -> Iterator[str]:
    for name, value in EXACT.items():
        if parts.one(name) != value:
            yield f"H8: {name} is not {value}"
    groups = parts.one("Feedback-ID").split(":")
    if len(groups) != 4 or not 5 <= len(groups[-1]) <= 15:
        yield "H9: Feedback-ID"


def _meaning_faults(parts: MailParts) -> Iterator[str]:
    if not DATE.fullmatch(parts.one("Date")):
        yield "H14: Date is not in UTC"
    language = re.search(r'<html lang="([a-z]+)" dir="(ltr|rtl)"', parts.html)
    if language is None or (language[2] == "rtl") != (language[1] == "ar"):
        yield "the markup does not say its language and direction"
    reasons = REASONS[language[1] if language else "en"]
    reason = parts.one("X-Notification-Reason")
    if reason not in reasons:
        yield "H10: X-Notification-Reason"
    elif reasons[reason] not in parts.text or reasons[reason] not in parts.html:
        yield "H10: the body does not say the reason"


def _body_faults(parts: MailParts) -> Iterator[str]:
    kinds = [headers.get("Content-Type") for headers, _ in parts.parts]
    if kinds != ["text/plain; charset=utf-8", "text/html; charset=utf-8"]:
        yield "H12: not text first and markup second"
        return
    if not parts.one("Content-Type").startswith("multipart/alternative;"):
        yield "H12: not multipart/alternative"
    for _, body in parts.parts:
        if any(len(line) > 76 for line in body.split(b"\r\n")):
            yield "H13: a body line of more than 76"
    if len(parts.html.encode()) >= 60_000:
        yield "H12: markup of 60 kB or more"
    if re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]", parts.text + parts.html):
        yield "a control character in the body"


def _markup_faults(parts: MailParts) -> Iterator[str]:
    reader = _Reader()
    reader.feed(parts.html)
    reader.close()
    for tag in reader.tags - TAGS:
        yield f"H12: a tag {tag}"
    for attribute in reader.attributes - ATTRIBUTES:
        yield f"H12: an attribute {attribute}"
    for link in reader.links:
        if not link.startswith("https://clp.example/"):
            yield f"H12: a link to a stranger {link}"
        if link not in parts.text:
            yield f"H12: a link that the text does not have {link}"
    if "url(" in parts.html or "@import" in parts.html:
        yield "H12: a remote style"


class _Reader(HTMLParser):
    """The elements of the HTML."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: list[str] = []

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)
        self.links.extend(
            value or "" for name, value in attrs if name in ("href", "src")
        )


CHECKS: Final[tuple[Callable[[MailParts], Iterator[str]], ...]] = (
    _id_faults,
    _list_faults,
    _exact_faults,
    _meaning_faults,
    _body_faults,
    _markup_faults,
)


def text_of_markup(html: str) -> str:
    """The text that a person reads in the messages of the HTML."""
    reader = _Shown()
    reader.feed(html)
    reader.close()
    return "".join(reader.shown)


class _Shown(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.shown: list[str] = []
        self._inside = False

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "div":
            self._inside = ("class", "text") in attrs
        elif tag == "br" and self._inside:
            self.shown.append("\n")

    @override
    def handle_endtag(self, tag: str) -> None:
        if tag == "div":
            self._inside = False

    @override
    def handle_data(self, data: str) -> None:
        if self._inside:
            self.shown.append(data)
