"""The query language (rule 33): keywords, phrases, beginnings, exclusions, filters.

Read by hand, because people type anything: whatever is not quite the syntax is read as
plain words. Only an empty and an over-long query are refused.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from typing import Final

from clp_contracts.errors import Refused
from clp_search.analysis.query_terms import Keyword, keyword_of

LONGEST_QUERY: Final = 500
MOST_KEYWORDS: Final = 20
MOST_LETTERS: Final = 2 * LONGEST_QUERY

# Notes say what was not taken as typed; they are public and only ever appended to.
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
}
_NAME: Final = re.compile(r"([A-Za-z]+):(?=\S)")
_DATE: Final = re.compile(
    r"([0-9]{4})(?:[-./]([0-9]{1,2})(?:[-./]([0-9]{1,2}))?)?", re.ASCII
)
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_DECEMBER: Final = 12


class Where(Enum):
    """What a keyword is looked for in: text and file names, names only, authors."""

    TEXT = auto()
    FILES = auto()
    AUTHOR = auto()


@dataclass(frozen=True, slots=True)
class Clause:
    """A keyword that a message must hold, or must not."""

    keyword: Keyword
    where: Where = Where.TEXT
    excluded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What a person asked for. Times are from ``since`` to just before ``until``."""

    clauses: tuple[Clause, ...] = ()
    attachments: frozenset[bool] = frozenset()
    since: datetime | None = None
    until: datetime | None = None
    notes: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether there is anything to find."""
        times = (self.since, self.until)
        return bool(self.clauses or self.attachments or any(times))


def parse(text: str) -> Query:
    """Read a query.

    Raises:
        Refused: when it is empty, too long, or no text at all.
    """
    if len(text) > LONGEST_QUERY:
        raise Refused.because("query.too_long", longest=LONGEST_QUERY)
    if _SURROGATE.search(text):
        raise Refused.because("text.malformed")
    if not text.strip():
        raise Refused.because("query.empty")
    gathered = _Gathered()
    cut = _cut(text)
    if cut != text:
        gathered.note(TOO_MANY)
        text = cut
    at = 0
    while (at := _after_spaces(text, at)) < len(text):
        piece = _piece(text, at)
        _take(piece, gathered)
        at = piece.end
    return gathered.query()


def _cut(text: str) -> str:
    """As much of a query as makes work in time: one sign can stand for 18 letters."""
    spelled_out = len(unicodedata.normalize("NFKC", text))
    if spelled_out <= MOST_LETTERS:
        return text
    return text[: len(text) * MOST_LETTERS // spelled_out]


@dataclass(frozen=True, slots=True)
class _Piece:
    """One piece between spaces: its sign, its filter, its value, where it ends."""

    raw: str
    end: int
    excluded: bool = False
    name: str = ""
    value: str = ""
    quoted: bool = False


@dataclass(slots=True)
class _Gathered:
    clauses: dict[Clause, None] = field(default_factory=dict)
    attachments: set[bool] = field(default_factory=set)
    since: datetime | None = None
    until: datetime | None = None
    notes: dict[str, None] = field(default_factory=dict)

    def add(self, clause: Clause) -> None:
        if clause in self.clauses or len(self.clauses) < MOST_KEYWORDS:
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
        found = Query(
            clauses=tuple(self.clauses),
            attachments=frozenset(self.attachments),
            since=self.since,
            until=self.until,
        )
        if not found:
            self.note(NOTHING_TO_FIND)
        return Query(
            clauses=found.clauses,
            attachments=found.attachments,
            since=found.since,
            until=found.until,
            notes=tuple(self.notes),
        )


def _after_spaces(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _piece(text: str, at: int) -> _Piece:
    start = at
    excluded = text[at] == "-" and text[at + 1 : at + 2] != "-"
    at += excluded
    name = ""
    if (named := _NAME.match(text, at)) and named.group(1).lower() in _FILTERS:
        name = named.group(1).lower()
        at = named.end()
    quoted = text[at : at + 1] in _CLOSERS
    value, end = _quoted(text, at) if quoted else _word(text, at)
    return _Piece(text[start:end], end, excluded, name, value, quoted)


def _quoted(text: str, at: int) -> tuple[str, int]:
    """What stands in quotation marks; an unclosed one closes at the end."""
    start = at + 1
    places = [text.find(closer, start) for closer in _CLOSERS[text[at]]]
    end = min((place for place in places if place >= 0), default=len(text))
    return text[start:end], end + 1


def _word(text: str, at: int) -> tuple[str, int]:
    end = at
    while end < len(text) and not text[end].isspace():
        end += 1
    return text[at:end], end


def _take(piece: _Piece, gathered: _Gathered) -> None:
    if piece.raw == "-":
        gathered.note(EXCLUSION_EMPTY)
    elif not piece.name or not _FILTERS[piece.name](piece, gathered):
        plain = piece.value if not piece.name else f"{piece.name}:{piece.value}"
        _take_keyword(piece, plain, gathered)


def _take_keyword(
    piece: _Piece, text: str, gathered: _Gathered, *, where: Where = Where.TEXT
) -> None:
    bare = text if piece.quoted else text.rstrip("*")
    prefix = bare != text
    keyword = keyword_of(bare, prefix=prefix)
    if keyword is None:
        return
    if prefix and not keyword.open_ended:
        gathered.note(PREFIX_TOO_SHORT)
    gathered.add(Clause(keyword, where, piece.excluded))


def _take_author(piece: _Piece, gathered: _Gathered) -> bool:
    _take_keyword(piece, piece.value.lstrip("@"), gathered, where=Where.AUTHOR)
    return True


def _take_file(piece: _Piece, gathered: _Gathered) -> bool:
    _take_keyword(piece, piece.value, gathered, where=Where.FILES)
    return True


def _take_has(piece: _Piece, gathered: _Gathered) -> bool:
    if piece.value.lower() not in {"attachment", "attachments", "file", "files"}:
        return False
    gathered.attachments.add(not piece.excluded)
    return True


def _take_before(piece: _Piece, gathered: _Gathered) -> bool:
    return _take_period(piece, gathered, lambda first, _: (None, first))


def _take_after(piece: _Piece, gathered: _Gathered) -> bool:
    return _take_period(piece, gathered, lambda _, end: (end, None))


def _take_on(piece: _Piece, gathered: _Gathered) -> bool:
    return _take_period(piece, gathered, lambda first, end: (first, end))


Times = tuple[datetime | None, datetime | None]


def _take_period(
    piece: _Piece,
    gathered: _Gathered,
    times: Callable[[datetime, datetime], Times],
) -> bool:
    if piece.excluded:
        return False
    try:
        first, end = _period(piece.value)
    except (ValueError, OverflowError):
        gathered.note(DATE_UNREADABLE)
        return True
    gathered.narrow(*times(first, end))
    return True


def _period(value: str) -> tuple[datetime, datetime]:
    """A day, month or year, in UTC: its first moment and the first one after it."""
    if (match := _DATE.fullmatch(value)) is None:
        raise ValueError(value)
    year, month, day = (int(part) if part else None for part in match.groups())
    first = datetime(year or 0, month or 1, day or 1, tzinfo=UTC)
    if day is not None:
        return first, first + timedelta(days=1)
    if month is None or month == _DECEMBER:
        return first, first.replace(year=first.year + 1, month=1)
    return first, first.replace(month=month + 1)


_FILTERS: Final[dict[str, Callable[[_Piece, _Gathered], bool]]] = {
    "from": _take_author,
    "sender": _take_author,
    "author": _take_author,
    "file": _take_file,
    "filename": _take_file,
    "has": _take_has,
    "before": _take_before,
    "after": _take_after,
    "on": _take_on,
}
