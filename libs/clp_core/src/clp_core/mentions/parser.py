"""Parse the handles of a text and their lookup keys (rules 14 to 17).

No directory is needed here. The stretches between signs do not overlap and every
pattern is possessive, so the work is linear in the text.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from string import ascii_letters, digits
from typing import Final
from unicodedata import is_normalized

from clp_core.mentions.characters import (
    MARK,
    SIGN,
    UNSPACED,
    character_classes,
    without,
)
from clp_core.mentions.lookup_keys import ASCII_FORM, address_key, name_key
from clp_core.mentions.policy import PUBLISHED_MENTIONS, MentionPolicy
from clp_core.mentions.spans import Span

MAX_LOCAL_PART: Final = 64
MAX_ADDRESS: Final = 320
# Characters after an end of a name that decide whether it is one: possessives.
LOOKAHEAD: Final = 3

# Character sets of classes, for patterns.
SPACED: Final = f"A-Za-z0-9_{MARK}"
WORD: Final = f"{SPACED}{UNSPACED}"
ALNUM: Final = f"A-Za-z0-9{UNSPACED}"
BREAKS: Final = r"\n\r\v\f\x1c-\x1e"
BLANKS: Final = r" \t\x1f"

# Rule 16: a joint continues a word, a possessive does not.
JOINT: Final = r"[.\-'](?=[A-Za-z0-9])"
POSSESSIVE: Final = rf"'[sS](?![{SPACED}])"

# A sign that may open. `_opens` judges the characters before it; letters and digits
# are excluded here, as a hostile text may have a million.
OPENING: Final = re.compile(rf"@(?<![A-Za-z0-9]@)(?=[{ALNUM}])")
HINGES: Final = frozenset("-+.")
SPACED_LETTERS: Final = frozenset(ascii_letters + digits)
CLOSED: Final = SPACED_LETTERS | frozenset(r"_@#!$%&*\\")

# Rule 17: a line that begins with `>`; from one run of backticks to the next on a line.
LEFT_OUT: Final = re.compile(
    rf"(?:\A|(?<=[{BREAKS}]))>[^{BREAKS}]*+|(?<!`)`++[^`{BREAKS}]*+`"
)

LINE_BREAK: Final = re.compile(f"[{BREAKS}]")

# Each match ends where a name may end. Only single classes are possessive:
# Python 3.11 before 3.11.5 mistakes possessive groups (gh-106052).
ENDS: Final = re.compile(
    rf"""
      [{SPACED}]++ (?: (?!{POSSESSIVE}) {JOINT} [{SPACED}]++ )*
    | {UNSPACED} {MARK}*+
    | [^{WORD}{BLANKS}] (?: (?![{SPACED}]|{JOINT}) | (?={POSSESSIVE}) )
    """,
    re.VERBOSE,
)
FIRST_WORD: Final = re.compile(rf"[{WORD}]++(?:(?!{POSSESSIVE}){JOINT}[{WORD}]++)*")
ADDRESS: Final = re.compile(
    rf"""
    [{WORD}.!#$%&'*+/=?^{{|}}~-]{{1,{MAX_LOCAL_PART}}}+ @
    ( [{WORD}]++ (?: (?:\.|-++) (?=[{ALNUM}]) [{WORD}]++ )* )
    """,
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class ParsedText:
    """A text, its classes without what rule 17 leaves out, and the signs that open."""

    text: str
    classes: str
    signs: tuple[int, ...]

    def stop_after(self, number: int) -> int:
        """The position of the next sign, which ends a name at the latest."""
        following = number + 1
        return (
            self.signs[following] if following < len(self.signs) else len(self.classes)
        )


NO_HANDLE: Final = ParsedText("", "", ())


@dataclass(frozen=True, slots=True)
class Address:
    """The positions of an address: start, inner sign, end."""

    start: int
    sign: int
    end: int


# A possible end of a handle, and the lookup key of the text up to there.
Key = tuple[int, str]


def lookup_keys_in(
    text: str,
    *,
    skip: Sequence[Span] = (),
    policy: MentionPolicy = PUBLISHED_MENTIONS,
) -> frozenset[str]:
    """All name and address keys that a handle of this text could mean.

    Their owners are all that `resolve_mentions` needs of the directory.

    >>> sorted(lookup_keys_in("see @Mike O'Connor's notes"))
    ['mike', "mike o'connor", "mike o'connor's", "mike o'connor's notes"]
    """
    parsed = parse(text, skip)
    return frozenset(
        key
        for number in range(len(parsed.signs))
        for _, key in keys_at(parsed, number, policy.max_name_length)
    )


def has_sign(text: str) -> bool:
    """Whether a text contains a sign; without one it mentions nobody.

    >>> has_sign("＠nat, look"), has_sign("nothing for anybody")
    (True, False)
    """
    return SIGN in text or "＠" in text


def parse(text: str, skip: Sequence[Span] = ()) -> ParsedText:
    """Find the signs that open a handle (rules 14 and 17)."""
    if not has_sign(text):
        return NO_HANDLE
    classes = character_classes(text)
    left_out = [(span.start, span.end) for span in skip]
    if ">" in classes or "`" in classes:
        left_out += (stretch.span() for stretch in LEFT_OUT.finditer(classes))
    visible = without(classes, left_out) if left_out else classes
    signs = tuple(
        sign
        for found in OPENING.finditer(classes)
        if _opens(classes, sign := found.start())
        and visible.startswith(classes[sign : sign + 2], sign)
    )
    return ParsedText(text, visible, signs)


def keys_at(parsed: ParsedText, number: int, longest: int) -> Iterator[Key]:
    """The keys of the handle at this sign, longest first (rule 15).

    An address is not read as a name too, unless its inner sign may open a handle.
    """
    start, stop = parsed.signs[number] + 1, parsed.stop_after(number)
    address = address_at(parsed, start)
    if address:
        yield from reversed(address_keys(parsed, address))
    if address is None or address.sign == stop:
        yield from reversed(name_keys(parsed, start, stop=stop, longest=longest))


def unknown_end(parsed: ParsedText, number: int) -> int:
    """The end of an unknown handle: of its first word, or of its address (rule 19)."""
    start = parsed.signs[number] + 1
    if address := address_at(parsed, start):
        return address.end
    # A sign that opens has a letter or digit after it, so there is a word.
    return next(FIRST_WORD.finditer(parsed.classes, start)).end()


def address_at(parsed: ParsedText, start: int) -> Address | None:
    """Match an address here: a local part, a sign, a domain with a dot."""
    found = ADDRESS.match(parsed.classes, start)
    if found is None or "." not in found[1]:
        return None
    return Address(start, found.start(1) - 1, found.end())


def address_keys(parsed: ParsedText, address: Address) -> list[Key]:
    """The keys of the addresses that start here, shortest first."""
    start, last = address.start, min(address.end, address.start + MAX_ADDRESS)
    stop = last + LOOKAHEAD
    ends = _ends(parsed.classes, address.sign + 1, stop=stop, last=last)
    even = evenly_folded(parsed.text[start:last])
    if even is None or ASCII_FORM in even:
        return [(end, address_key(parsed.text[start:end])) for end in ends]
    return [(end, even[: end - start]) for end in ends]


def name_keys(parsed: ParsedText, start: int, *, stop: int, longest: int) -> list[Key]:
    """The keys of the names that start here, shortest first (rule 16)."""
    last = start + longest
    line = _line_end(parsed.classes, start, min(stop, last + LOOKAHEAD))
    even = evenly_folded(parsed.text[start : min(line, last)])
    if even is None:
        stop = _line_end(parsed.classes, start, stop)
        return _uneven_name_keys(parsed, start, stop=stop, longest=longest)
    ends = _ends(parsed.classes, start, stop=line, last=last)
    return [(end, even[: end - start]) for end in ends]


def _uneven_name_keys(
    parsed: ParsedText, start: int, *, stop: int, longest: int
) -> list[Key]:
    """The same where text and key differ in length, so that no cut is possible."""
    keys: list[Key] = []
    value, done = "", start
    for piece in ENDS.finditer(parsed.classes, start, stop):
        # The key of a prefix and the text after it have the key of the whole.
        value = name_key(value + parsed.text[done : piece.end()])
        done = piece.end()
        if len(value) > longest:
            break
        keys.append((done, value))
    return keys


def _ends(classes: str, start: int, *, stop: int, last: int) -> list[int]:
    """The possible ends of a name, up to `last`."""
    pieces = ENDS.finditer(classes, start, stop)
    return [end for piece in pieces if (end := piece.end()) <= last]


def _line_end(classes: str, start: int, stop: int) -> int:
    found = LINE_BREAK.search(classes, start, stop)
    return found.start() if found else stop


def evenly_folded(text: str) -> str | None:
    """The folded text, if it has one character for each of the text; else None."""
    if not text.isprintable() or "  " in text:
        return None
    if text.isascii():
        return text.lower()
    if not is_normalized("NFKC", text):
        return None
    even = text.casefold()
    # Folding removes no character, so equal lengths mean equal positions.
    if len(even) != len(text) or not is_normalized("NFKC", even):
        return None
    return even


def _opens(classes: str, sign: int) -> bool:
    """Judge the characters before a sign; a mark belongs to its letter (rule 14)."""
    before = _without_marks(classes, sign)
    if before == 0:
        return True
    if classes[before - 1] not in HINGES:
        return classes[before - 1] not in CLOSED
    before = _without_marks(classes, before - 1)
    return before == 0 or classes[before - 1] not in SPACED_LETTERS


def _without_marks(classes: str, end: int) -> int:
    while classes[end - 1 : end] == MARK:
        end -= 1
    return end
