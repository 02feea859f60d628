"""Split an incoming mail into its MIME parts, within fixed limits.

Incoming mail is untrusted. The `email` package parses it recursively and without
limits: a deeply nested multipart or a comment of a million parentheses exhausts the
stack. Here every limit is a number; a mail beyond one is malformed, with its reason.
"""

import base64
import binascii
import quopri
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

MAX_MAIL_BYTES: Final = 1_000_000
MAX_HEADER_BYTES: Final = 65_536
MAX_HEADER_FIELDS: Final = 500
# The parser of RFC 5322 comments is recursive everywhere else.
MAX_COMMENT_NESTING: Final = 20
MAX_NESTING: Final = 20
MAX_PARTS: Final = 200

HEADER_END: Final = re.compile(rb"\r?\n\r?\n|\A\r?\n")
# Gateways replace the type of a report's part by one of these.
GENERIC_TYPES: Final = frozenset({"text/plain", "application/octet-stream"})
MAIL_TYPES: Final = frozenset({"message/rfc822", "message/global"})
FIELD: Final = re.compile(r"([!-9;-~]+)[ \t]*:(.*)", re.DOTALL)
LINE_END: Final = re.compile(r"\r\n|\r|\n")
FOLD: Final = re.compile(r"\r?\n(?=[ \t])")
PARAMETER: Final = r';\s*{name}\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;]+))'
BOUNDARY: Final = re.compile(PARAMETER.format(name="boundary"), re.IGNORECASE)
REPORT_TYPE: Final = re.compile(PARAMETER.format(name="report-type"), re.IGNORECASE)
# RFC 2047; bounded, as an endless one would be searched again from each beginning.
ENCODED_WORD: Final = re.compile(
    r"=\?([^?\s]{1,40})\?([bq])\?([^?\s]{0,400})\?=(?:\s+(?==\?))?", re.IGNORECASE
)
NOT_BASE64: Final = re.compile(rb"[^A-Za-z0-9+/]")


class MalformedMail(ValueError):
    """A mail beyond a limit or with broken encoding; the text is the reason."""


class Headers:
    """The header fields of a mail or a part, in their order."""

    def __init__(self, fields: list[tuple[str, str]]) -> None:
        self._fields = fields

    def all(self, name: str) -> list[str]:
        """The values of all fields of this name, unfolded."""
        wanted = name.lower()
        return [value for key, value in self._fields if key == wanted]

    def get(self, name: str) -> str:
        """The first value of this name, or an empty string."""
        return next(iter(self.all(name)), "")

    def text(self, name: str) -> str:
        """The first value of this name with its encoded words decoded (RFC 2047)."""
        return ENCODED_WORD.sub(_decoded_word, self.get(name))

    def split_at(self, *names: str) -> Iterator["Headers"]:
        """The fields in groups; one of these names that repeats begins the next."""
        group: list[tuple[str, str]] = []
        for key, value in self._fields:
            if key in names and any(key == other for other, _ in group):
                yield Headers(group)
                group = []
            group.append((key, value))
        yield Headers(group)


@dataclass(frozen=True, slots=True)
class Part:
    """A part with its raw body; a multipart has parts and no body."""

    headers: Headers
    raw: bytes
    parts: tuple["Part", ...] = ()

    @property
    def content_type(self) -> str:
        """Type and subtype in lower case; ``text/plain`` by default."""
        found = self.headers.get("Content-Type").partition(";")[0].strip().lower()
        return found or "text/plain"

    @property
    def report_type(self) -> str:
        """The report-type of a multipart/report (RFC 6522), or an empty string."""
        return _parameter(REPORT_TYPE, self.headers).lower()

    @property
    def body(self) -> bytes:
        """The body without its transfer encoding.

        Raises:
            MalformedMail: the encoding is broken.
        """
        encoding = self.headers.get("Content-Transfer-Encoding").strip().lower()
        if encoding == "quoted-printable":
            return quopri.decodestring(self.raw)
        if encoding != "base64":
            return self.raw
        # A mail that was cut ends anywhere: its last letters may lack their padding.
        letters = NOT_BASE64.sub(b"", self.raw.partition(b"=")[0])
        try:
            return binascii.a2b_base64(letters + b"=" * (-len(letters) % 4))
        except binascii.Error:
            raise MalformedMail("a part has broken base64") from None

    @property
    def text(self) -> str:
        """The body as text; what is not UTF-8 is replaced."""
        return self.body.decode("utf-8", "replace")

    def walk(self) -> Iterator["Part"]:
        """This part and all parts in it."""
        yield self
        for part in self.parts:
            yield from part.walk()

    def report_parts(self, report_type: str, types: Sequence[str]) -> list["Part"]:
        """The parts of these types; generic ones where only the report is declared."""
        parts = list(self.walk())
        if found := [part for part in parts if part.content_type in types]:
            return found
        if all(part.report_type != report_type for part in parts):
            return []
        return [part for part in parts if part.content_type in GENERIC_TYPES]


def parse_mail(raw: bytes) -> Part:
    """Parse a mail; one that is longer than `MAX_MAIL_BYTES` is cut there.

    Raises:
        MalformedMail: a header is too large, or parts are too many or too deep.
    """
    return _Parser().parse(raw[:MAX_MAIL_BYTES], depth=0)


def parse_headers(raw: bytes) -> Headers:
    """Parse a block of header fields, as in a mail or a delivery status.

    Raises:
        MalformedMail: the block is too large.
    """
    if len(raw) > MAX_HEADER_BYTES:
        raise MalformedMail("a header is too large")
    text = FOLD.sub("", raw.decode("utf-8", "replace"))
    lines = map(FIELD.fullmatch, LINE_END.split(text))
    fields = [(found[1].lower(), found[2].strip()) for found in lines if found]
    if len(fields) > MAX_HEADER_FIELDS:
        raise MalformedMail("a header has too many fields")
    if any(_nesting(value) > MAX_COMMENT_NESTING for _, value in fields):
        raise MalformedMail("comments of a header are nested too deeply")
    return Headers(fields)


class _Parser:
    """Parses one mail, and counts its parts."""

    def __init__(self) -> None:
        self._part_count = 0

    def parse(self, raw: bytes, *, depth: int) -> Part:
        self._part_count += 1
        if self._part_count > MAX_PARTS:
            raise MalformedMail("there are too many parts")
        if depth > MAX_NESTING:
            raise MalformedMail("parts are nested too deeply")
        head, body = _halves(raw)
        whole = Part(parse_headers(head), body)
        if whole.content_type in MAIL_TYPES:
            _check_enclosed(body)
        boundary = _parameter(BOUNDARY, whole.headers)
        if not whole.content_type.startswith("multipart/") or not boundary:
            return whole
        parts = [self.parse(one, depth=depth + 1) for one in _split(body, boundary)]
        return Part(whole.headers, b"", tuple(parts))


def _halves(raw: bytes) -> tuple[bytes, bytes]:
    """Header and body of a mail or a part."""
    found = HEADER_END.search(raw, 0, MAX_HEADER_BYTES + len(b"\r\n\r\n"))
    if found is not None:
        return raw[: found.start()], raw[found.end() :]
    if len(raw) > MAX_HEADER_BYTES:
        raise MalformedMail("a header is too large")
    return raw, b""


def _check_enclosed(body: bytes) -> None:
    """Refuse mails in mails in mails; what a mail encloses is not parsed further."""
    for _ in range(MAX_NESTING):
        head, body = _halves(body)
        if Part(parse_headers(head), body).content_type not in MAIL_TYPES:
            return
    raise MalformedMail("mails are nested too deeply")


def _split(body: bytes, boundary: str) -> Iterator[bytes]:
    """The raw parts of a multipart (RFC 2046, section 5.1.1)."""
    delimiter = b"--" + boundary.encode("utf-8", "replace")
    part: list[bytes] | None = None
    for line in body.splitlines(keepends=True):
        bare = line.rstrip()
        if bare in (delimiter, delimiter + b"--"):
            if part is not None:
                yield b"".join(part)
            if bare != delimiter:
                return
            part = []
        elif part is not None:
            part.append(line)
    if part is not None:
        yield b"".join(part)


def _parameter(pattern: re.Pattern[str], headers: Headers) -> str:
    found = pattern.search(headers.get("Content-Type"))
    return "" if found is None else (found[1] or found[2] or "")


def _decoded_word(found: re.Match[str]) -> str:
    charset, encoding, text = found.groups()
    try:
        if encoding.lower() == "b":
            raw = base64.b64decode(text + "=" * (-len(text) % 4))
        else:
            raw = quopri.decodestring(text, header=True)
        return raw.decode(charset, "replace")
    except (LookupError, ValueError):
        return found[0]


def _nesting(value: str) -> int:
    deepest = depth = 0
    for character in value:
        if character == "(":
            depth += 1
            deepest = max(deepest, depth)
        elif character == ")":
            depth = max(0, depth - 1)
    return deepest
