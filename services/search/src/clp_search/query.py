"""The query language (rule 33): keywords, phrases, prefixes, exclusions, filters.

Parsed by hand, because people type anything: what is not valid syntax is searched as
plain words. Only empty and over-long queries are refused.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, tzinfo
from enum import Enum, auto
from typing import Final

from clp_contracts.errors import Refused
from clp_core.visible_text import code_point
from clp_search.analysis.query_terms import Keyword, parse_keyword

MAX_QUERY_LENGTH: Final = 500
MAX_KEYWORDS: Final = 20
MAX_NORMALIZED_LENGTH: Final = 2 * MAX_QUERY_LENGTH

# Notes name parts of a query that were not used as typed. They are public: append only.
TOO_MANY: Final = "keyword.too_many"
PREFIX_TOO_SHORT: Final = "prefix.too_short"
DATE_UNREADABLE: Final = "date.unreadable"
EXCLUSION_EMPTY: Final = "exclusion.empty"
NOTHING_TO_FIND: Final = "query.nothing_to_find"

_CLOSERS: Final = {
    '"': '"',
    "\u201c": '\u201d"',
    "\u201e": '\u201c\u201d"',
    "\u00ab": "\u00bb",
    "\u300c": "\u300d",
    "\u300e": "\u300f",
    "\uff62": "\uff63",
    "\u2039": "\u203a",
}
# Marks that close a phrase in most languages and open one in some; they quote only
# where one of these follows: Swedish and Finnish, Danish and German, vertical Japanese.
_REVERSED: Final = {
    "\u201d": '\u201d"',
    "\u00bb": "\u00ab\u00bb",
    "\u203a": "\u2039\u203a",
    "\u301d": "\u301e\u301f",
}
# Operators, letters and digits of Chinese and Japanese keyboards.
_FULL_WIDTH: Final = {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)} | {
    0x2212: "-"
}
# Phones and word processors put them before a word; no operator begins with one.
_SKIPPED: Final = frozenset(
    "\u061c\u200b\u200e\u200f\u202a\u202b\u202c\u2060\u2066\u2067\u2068\u2069\ufeff"
)
_NAME: Final = re.compile(r"([A-Za-z]+):(?=\S)")
_DASH: Final = r"[-./\u2010-\u2013\u2212]"
_DATE: Final = re.compile(
    rf"([0-9]{{4}})(?:{_DASH}([0-9]{{1,2}})(?:{_DASH}([0-9]{{1,2}}))?)?", re.ASCII
)
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_DECEMBER: Final = 12


class Field(Enum):
    """The field of a keyword: text and file names, or the author."""

    TEXT = auto()
    FILES = auto()
    AUTHOR = auto()


@dataclass(frozen=True, slots=True)
class Clause:
    """A keyword that a message must hold, or must not."""

    keyword: Keyword
    field: Field = Field.TEXT
    excluded: bool = False
    # What was typed for an author, and the people it is found to mean now.
    author: str = ""
    people: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A parsed query. Times are from ``since`` to just before ``until``."""

    clauses: tuple[Clause, ...] = ()
    attachments: frozenset[bool] = frozenset()
    since: datetime | None = None
    until: datetime | None = None
    notes: tuple[str, ...] = ()

    @property
    def has_times(self) -> bool:
        """Whether a period was given, which depends on the time zone."""
        return self.since is not None or self.until is not None

    @property
    def authors(self) -> tuple[str, ...]:
        """The typed names of authors."""
        return tuple(dict.fromkeys(c.author for c in self.clauses if c.author))

    def with_people(self, people: Mapping[str, frozenset[str]]) -> "Query":
        """Return the same query for the people that its authors mean now."""
        clauses = (
            replace(clause, people=people.get(clause.author, frozenset()))
            for clause in self.clauses
        )
        return replace(self, clauses=tuple(clauses))

    def __bool__(self) -> bool:
        """Return whether there is anything to search for."""
        times = (self.since, self.until)
        return bool(self.clauses or self.attachments or any(times))


def parse(text: str, zone: tzinfo = UTC) -> Query:
    """Parse a query; its days are days of a time zone.

    Raises:
        Refused: when it is empty, too long, or malformed text.
    """
    if len(text) > MAX_QUERY_LENGTH:
        raise Refused.because("query.too_long", max_characters=MAX_QUERY_LENGTH)
    if surrogate := _SURROGATE.search(text):
        raise Refused.because("text.malformed", character=code_point(surrogate[0]))
    if not text.strip():
        raise Refused.because("query.empty")
    text = text.translate(_FULL_WIDTH)
    builder = _QueryBuilder(zone)
    cut = _truncated(text)
    if cut != text:
        builder.note(TOO_MANY)
        text = cut
    at = 0
    while (at := _skip_spaces(text, at)) < len(text):
        token = _token(text, at)
        _add(token, builder)
        at = token.end
    return builder.query()


def _truncated(text: str) -> str:
    """Limit a query by its normalized length: one character can expand into 18."""
    spelled_out = len(unicodedata.normalize("NFKC", text))
    if spelled_out <= MAX_NORMALIZED_LENGTH:
        return text
    return text[: len(text) * MAX_NORMALIZED_LENGTH // spelled_out]


@dataclass(frozen=True, slots=True)
class _Token:
    """One part of a query between spaces: raw text, sign, filter, value, end."""

    raw: str
    end: int
    excluded: bool = False
    name: str = ""
    value: str = ""
    quoted: bool = False


@dataclass(slots=True)
class _QueryBuilder:
    zone: tzinfo
    clauses: dict[Clause, None] = field(default_factory=dict)
    attachments: set[bool] = field(default_factory=set)
    since: datetime | None = None
    until: datetime | None = None
    notes: dict[str, None] = field(default_factory=dict)

    def add(self, clause: Clause) -> None:
        if clause in self.clauses or len(self.clauses) < MAX_KEYWORDS:
            self.clauses[clause] = None
        else:
            self.note(TOO_MANY)

    def note(self, note: str) -> None:
        self.notes[note] = None

    def narrow(self, since: datetime | None, until: datetime | None) -> None:
        if since is not None:
            self.since = max(self.since or since, since)
        if until is not None:
            self.until = min(self.until or until, until)

    def query(self) -> Query:
        query = Query(
            clauses=tuple(self.clauses),
            attachments=frozenset(self.attachments),
            since=self.since,
            until=self.until,
        )
        if not query:
            self.note(NOTHING_TO_FIND)
        return Query(
            clauses=query.clauses,
            attachments=query.attachments,
            since=query.since,
            until=query.until,
            notes=tuple(self.notes),
        )


def _skip_spaces(text: str, at: int) -> int:
    while at < len(text) and (text[at].isspace() or text[at] in _SKIPPED):
        at += 1
    return at


def _token(text: str, at: int) -> _Token:
    start = at
    excluded = text[at] == "-" and text[at + 1 : at + 2] != "-"
    at += excluded
    name = ""
    if (named := _NAME.match(text, at)) and named.group(1).lower() in _FILTERS:
        name = named.group(1).lower()
        at = named.end()
    quoted = _opens_phrase(text, at)
    value, end = _quoted(text, at) if quoted else _word(text, at)
    return _Token(text[start:end], end, excluded, name, value, quoted)


def _opens_phrase(text: str, at: int) -> bool:
    sign = text[at : at + 1]
    if sign not in _REVERSED:
        return sign in _CLOSERS
    return any(text.find(closer, at + 1) > 0 for closer in _REVERSED[sign])


def _quoted(text: str, at: int) -> tuple[str, int]:
    """Read a quoted phrase; an unclosed one extends to the end."""
    start = at + 1
    closers = _CLOSERS.get(text[at]) or _REVERSED[text[at]]
    places = [text.find(closer, start) for closer in closers]
    end = min((place for place in places if place >= 0), default=len(text))
    return text[start:end], end + 1


def _word(text: str, at: int) -> tuple[str, int]:
    end = at
    while end < len(text) and not text[end].isspace():
        end += 1
    return text[at:end], end


def _add(token: _Token, builder: _QueryBuilder) -> None:
    if token.raw == "-":
        builder.note(EXCLUSION_EMPTY)
    elif not token.name or not _FILTERS[token.name](token, builder):
        plain = token.value if not token.name else f"{token.name}:{token.value}"
        _add_keyword(token, plain, builder)


def _add_keyword(
    token: _Token, text: str, builder: _QueryBuilder, *, field: Field = Field.TEXT
) -> None:
    bare = text if token.quoted else text.rstrip("*")
    prefix = bare != text
    keyword = parse_keyword(bare, prefix=prefix)
    if keyword is None:
        return
    if prefix and not keyword.open_ended:
        builder.note(PREFIX_TOO_SHORT)
    author = bare if field is Field.AUTHOR else ""
    builder.add(Clause(keyword, field, token.excluded, author))


def _add_author(token: _Token, builder: _QueryBuilder) -> bool:
    _add_keyword(token, token.value.lstrip("@"), builder, field=Field.AUTHOR)
    return True


def _add_file(token: _Token, builder: _QueryBuilder) -> bool:
    _add_keyword(token, token.value, builder, field=Field.FILES)
    return True


def _add_has(token: _Token, builder: _QueryBuilder) -> bool:
    if token.value.lower() not in {"attachment", "attachments", "file", "files"}:
        return False
    builder.attachments.add(not token.excluded)
    return True


def _add_before(token: _Token, builder: _QueryBuilder) -> bool:
    return _add_period(token, builder, lambda first, _: (None, first))


def _add_after(token: _Token, builder: _QueryBuilder) -> bool:
    return _add_period(token, builder, lambda _, end: (end, None))


def _add_on(token: _Token, builder: _QueryBuilder) -> bool:
    return _add_period(token, builder, lambda first, end: (first, end))


Times = tuple[datetime | None, datetime | None]


def _add_period(
    token: _Token,
    builder: _QueryBuilder,
    times: Callable[[datetime, datetime], Times],
) -> bool:
    if token.excluded:
        return False
    try:
        first, end = _period(token.value, builder.zone)
    except (ValueError, OverflowError):
        builder.note(DATE_UNREADABLE)
        return False
    builder.narrow(*times(first, end))
    return True


def _period(value: str, zone: tzinfo) -> tuple[datetime, datetime]:
    """Return the start and end of a day, month or year."""
    if (match := _DATE.fullmatch(value)) is None:
        raise ValueError(value)
    year, month, day = (int(part) if part else None for part in match.groups())
    first = datetime(year or 0, month or 1, day or 1, tzinfo=zone)
    if day is not None:
        end = first + timedelta(days=1)
    elif month is None or month == _DECEMBER:
        end = first.replace(year=first.year + 1, month=1)
    else:
        end = first.replace(month=month + 1)
    # Days are not all of the same length: only now can times be compared.
    return first.astimezone(UTC), end.astimezone(UTC)


_FILTERS: Final[dict[str, Callable[[_Token, _QueryBuilder], bool]]] = {
    "from": _add_author,
    "sender": _add_author,
    "author": _add_author,
    "file": _add_file,
    "filename": _add_file,
    "has": _add_has,
    "before": _add_before,
    "after": _add_after,
    "on": _add_on,
}
