"""From a text to its handles, and to the keys a handle could mean (rules 14 to 17).

Nobody is looked up here. The stretches between the signs of a text do not overlap, and
every pattern keeps what it has taken, so the work grows with the text and not faster.
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
    shape_of,
    without,
)
from clp_core.mentions.lookup_keys import ASCII_FORM, address_key, name_key
from clp_core.mentions.policy import PUBLISHED_MENTIONS, MentionPolicy
from clp_core.mentions.spans import Span

LONGEST_LOCAL_PART: Final = 64
LONGEST_ADDRESS: Final = 320
# How far behind the end of a name it is seen whether that is an end: possessives.
LOOKED_AHEAD: Final = 3

# The classes of a shape, as patterns know them.
SPACED: Final = f"A-Za-z0-9_{MARK}"
WORD: Final = f"{SPACED}{UNSPACED}"
ALNUM: Final = f"A-Za-z0-9{UNSPACED}"
BREAKS: Final = r"\n\r\v\f\x1c-\x1e"
BLANKS: Final = r" \t\x1f"

# Rule 16: what holds a word together, and the possessive, which does not.
JOINT: Final = r"[.\-'](?=[A-Za-z0-9])"
POSSESSIVE: Final = rf"'[sS](?![{SPACED}])"

# A sign that may open. What stands before it is for `_opens` to judge; letters and
# digits, of which a hostile text may hold a million, are put aside here.
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
    [{WORD}.!#$%&'*+/=?^{{|}}~-]{{1,{LONGEST_LOCAL_PART}}}+ @
    ( [{WORD}]++ (?: (?:\.|-++) (?=[{ALNUM}]) [{WORD}]++ )* )
    """,
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Page:
    """A text, its shape without what rule 17 leaves out, and the signs that open."""

    text: str
    shape: str
    signs: tuple[int, ...]

    def stop_after(self, number: int) -> int:
        """Where the name after this sign ends at the latest: at the next one."""
        following = number + 1
        return self.signs[following] if following < len(self.signs) else len(self.shape)


NO_HANDLE: Final = Page("", "", ())


@dataclass(frozen=True, slots=True)
class Address:
    """What looks like an address: where it starts, its inner sign, where it ends."""

    start: int
    sign: int
    end: int


# Where a handle may end, and what the text up to there would be looked up by.
Key = tuple[int, str]


def keys_worth_looking_up(
    text: str,
    *,
    skip: Sequence[Span] = (),
    policy: MentionPolicy = PUBLISHED_MENTIONS,
) -> frozenset[str]:
    """Every name and address key that a handle of this text could mean.

    Whoever owns one of them is all that `outcomes_in` needs to know of the directory.

    >>> sorted(keys_worth_looking_up("see @Mike O'Connor's notes"))
    ['mike', "mike o'connor", "mike o'connor's", "mike o'connor's notes"]
    """
    page = page_of(text, skip)
    return frozenset(
        key
        for number in range(len(page.signs))
        for _, key in keys_at(page, number, policy.max_name_length)
    )


def has_sign(text: str) -> bool:
    """Whether a sign stands in a text at all; without one it mentions nobody.

    >>> has_sign("＠nat, look"), has_sign("nothing for anybody")
    (True, False)
    """
    return SIGN in text or "＠" in text


def page_of(text: str, skip: Sequence[Span] = ()) -> Page:
    """Find the signs that open a handle (rules 14 and 17)."""
    if not has_sign(text):
        return NO_HANDLE
    shape = shape_of(text)
    left_out = [(span.start, span.end) for span in skip]
    if ">" in shape or "`" in shape:
        left_out += (stretch.span() for stretch in LEFT_OUT.finditer(shape))
    visible = without(shape, left_out) if left_out else shape
    signs = tuple(
        sign
        for found in OPENING.finditer(shape)
        if _opens(shape, sign := found.start())
        and visible.startswith(shape[sign : sign + 2], sign)
    )
    return Page(text, visible, signs)


def keys_at(page: Page, number: int, longest: int) -> Iterator[Key]:
    """What the handle at this sign could mean, the better first: the longest (rule 15).

    What looks like an address is no name, whoever is called like its first part; unless
    the sign inside may as well open a handle of its own.
    """
    start, stop = page.signs[number] + 1, page.stop_after(number)
    address = address_at(page, start)
    if address:
        yield from reversed(address_keys(page, address))
    if address is None or address.sign == stop:
        yield from reversed(name_keys(page, (start, stop), longest))


def unknown_end(page: Page, number: int) -> int:
    """Where an unknown handle ends: with its first word or its address (rule 19)."""
    start = page.signs[number] + 1
    if address := address_at(page, start):
        return address.end
    # A sign that opens has a letter or digit after it, so there is a word.
    return next(FIRST_WORD.finditer(page.shape, start)).end()


def address_at(page: Page, start: int) -> Address | None:
    """What looks like an address here: a local part, a sign, a domain with a dot."""
    found = ADDRESS.match(page.shape, start)
    if found is None or "." not in found[1]:
        return None
    return Address(start, found.start(1) - 1, found.end())


def address_keys(page: Page, address: Address) -> list[Key]:
    """The keys of the addresses that start here, shortest first."""
    start, last = address.start, min(address.end, address.start + LONGEST_ADDRESS)
    ends = _ends(page.shape, (address.sign + 1, last + LOOKED_AHEAD), last)
    even = evenly_folded(page.text[start:last])
    if even is None or ASCII_FORM in even:
        return [(end, address_key(page.text[start:end])) for end in ends]
    return [(end, even[: end - start]) for end in ends]


def name_keys(page: Page, within: tuple[int, int], longest: int) -> list[Key]:
    """The keys of the names that start here, shortest first (rule 16)."""
    start, stop = within
    last = start + longest
    line = _line_end(page.shape, start, min(stop, last + LOOKED_AHEAD))
    even = evenly_folded(page.text[start : min(line, last)])
    if even is None:
        whole_line = start, _line_end(page.shape, start, stop)
        return _uneven_name_keys(page, whole_line, longest)
    ends = _ends(page.shape, (start, line), last)
    return [(end, even[: end - start]) for end in ends]


def _uneven_name_keys(page: Page, within: tuple[int, int], longest: int) -> list[Key]:
    """The same where text and key differ in length, so that no text may be cut off."""
    keys: list[Key] = []
    value, done = "", within[0]
    for piece in ENDS.finditer(page.shape, *within):
        # Half a key and the text after it have the key of the whole.
        value = name_key(value + page.text[done : piece.end()])
        done = piece.end()
        if len(value) > longest:
            break
        keys.append((done, value))
    return keys


def _ends(shape: str, within: tuple[int, int], last: int) -> list[int]:
    """Where a name may end, at `last` at the latest."""
    pieces = ENDS.finditer(shape, *within)
    return [end for piece in pieces if (end := piece.end()) <= last]


def _line_end(shape: str, start: int, stop: int) -> int:
    found = LINE_BREAK.search(shape, start, stop)
    return found.start() if found else stop


def evenly_folded(text: str) -> str | None:
    """The folded text, if each of its characters comes from the one at its place."""
    if not text.isprintable() or "  " in text:
        return None
    if text.isascii():
        return text.lower()
    if not is_normalized("NFKC", text):
        return None
    even = text.casefold()
    # Folding makes no character less of one, so equal lengths mean equal places.
    if len(even) != len(text) or not is_normalized("NFKC", even):
        return None
    return even


def _opens(shape: str, sign: int) -> bool:
    """Rule 14: what stands before a sign; a mark is part of the letter before it."""
    before = _without_marks(shape, sign)
    if before == 0:
        return True
    if shape[before - 1] not in HINGES:
        return shape[before - 1] not in CLOSED
    before = _without_marks(shape, before - 1)
    return before == 0 or shape[before - 1] not in SPACED_LETTERS


def _without_marks(shape: str, end: int) -> int:
    while shape[end - 1 : end] == MARK:
        end -= 1
    return end
