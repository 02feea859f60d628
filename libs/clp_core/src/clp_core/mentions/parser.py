"""Parse the handles of a text and their lookup keys (rules 14 to 17).

No directory is needed here. The stretches between signs do not overlap and every
pattern is possessive, so the work is linear in the text.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from string import ascii_letters, digits
from typing import Final
from unicodedata import is_normalized

from clp_core.mentions.characters import (
    ATTACHED,
    INVISIBLE,
    INVISIBLES,
    MARK,
    SIGN,
    STOP,
    UNSPACED,
    WIDE,
    character_classes,
    without,
)
from clp_core.mentions.lookup_keys import (
    ASCII_FORM,
    IDEOGRAPHIC_STOP,
    address_key,
    name_key,
    with_plain_signs,
)
from clp_core.mentions.policy import PUBLISHED_MENTIONS, MentionPolicy
from clp_core.mentions.spans import Span

MAX_LOCAL_PART: Final = 64
MAX_ADDRESS: Final = 320
# Characters after an end of a name that decide whether it is one: possessives.
LOOKAHEAD: Final = 3

# Character sets of classes, for patterns.
JOINED: Final = f"A-Za-z0-9{ATTACHED}"
SPACED: Final = f"{JOINED}_{MARK}"
WORD: Final = f"{SPACED}{UNSPACED}"
ALNUM: Final = f"{JOINED}{UNSPACED}"
BREAKS: Final = r"\n\r\v\f\x1c-\x1e"
BLANKS: Final = r" \t\x1f"

# Rule 16: a joint continues a word, a possessive does not.
JOINT: Final = rf"[.\-'](?=[{JOINED}])"
POSSESSIVE: Final = rf"'[sS](?![{SPACED}])"

# A sign that may open. `_opens` judges the characters before it; letters and digits
# are excluded here, as a hostile text may have a million.
OPENING: Final = re.compile(rf"@(?<![A-Za-z0-9]@)(?=[{ALNUM}])")
# A name may begin with an apostrophe, as Hawaiian ones do.
APOSTROPHE: Final = "'"
OPENING_WITH_APOSTROPHE: Final = re.compile(rf"@(?<![A-Za-z0-9]@)(?='?[{ALNUM}])")
HINGES: Final = frozenset("-+.")
EMPHASIS: Final = frozenset(f"*_{MARK}")
SPACED_LETTERS: Final = frozenset(ascii_letters + digits)
CLOSED: Final = SPACED_LETTERS | frozenset(r"@#!$%&\\")

# Rule 17: a line that begins with `>`; from one run of backticks to the next on a line.
LEFT_OUT: Final = re.compile(
    rf"(?:\A|(?<=[{BREAKS}]))>[^{BREAKS}]*+|(?<!`)`++[^`{BREAKS}]*+`"
)
# Rule 17: from a scheme or `www.` to white space or a full-width punctuation mark.
WEB_ADDRESS: Final = re.compile(
    rf"(?:(?<=[A-Za-z0-9+.\-])://|(?<![A-Za-z0-9@])[wW][wW][wW]\.)"
    rf"[^{BREAKS}{BLANKS}{WIDE}{STOP}]*+"
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
# What may make further ends: joints inside of a word, and emphasis at its end.
INSIDE: Final = re.compile(r"[_.\-']")
JOINTS: Final = re.compile(rf"(?<![{BLANKS}])(?!{POSSESSIVE}){JOINT}")
EMPHASIS_RUNS: Final = re.compile(rf"(?<![_{BLANKS}])_++(?![{ALNUM}])")
FIRST_WORD: Final = re.compile(rf"[{WORD}]++(?:(?!{POSSESSIVE}){JOINT}[{WORD}]++)*")
ADDRESS: Final = re.compile(
    rf"""
    [{WORD}.!#$%&'*+/=?^{{|}}~-]{{1,{MAX_LOCAL_PART}}}+ @
    ( [{WORD}]++ (?: (?:[.{STOP}]|-++) (?=[{ALNUM}]) [{WORD}]++ )* )
    """,
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class ParsedText:
    """A text, its classes without what rule 17 leaves out, and the signs that open.

    `text`, `classes` and `signs` leave out invisible signs. `positions` are those of
    the visible characters in `original`; None if all of them are visible.
    """

    original: str
    text: str
    classes: str
    signs: tuple[int, ...]
    positions: Sequence[int] | None = None

    def stop_after(self, number: int) -> int:
        """The position of the next sign, which ends a name at the latest."""
        following = number + 1
        if following < len(self.signs):
            return self.signs[following]
        return len(self.classes)

    def original_span(self, start: int, end: int) -> Span:
        """The span in the original text, invisible signs inside included."""
        if self.positions is None:
            return Span(start, end)
        return Span(self.positions[start], self.positions[end - 1] + 1)


NO_HANDLE: Final = ParsedText("", "", "", ())


@dataclass(frozen=True, slots=True)
class Address:
    """The positions of an address: start, inner sign, end."""

    start: int
    sign: int
    end: int


# The end of a name in a text, its lookup key, and whether a name may end there. It may
# not at a joint: then whoever has the key is not meant, and nobody with a shorter one.
Key = tuple[int, str, bool]


def lookup_keys_in(
    text: str,
    *,
    skip: Sequence[Span] = (),
    policy: MentionPolicy = PUBLISHED_MENTIONS,
) -> frozenset[str]:
    """All name and address keys that a handle of this text could mean.

    Rules 15, 16 and 21. Their owners are all that `resolve_mentions` needs of the
    directory. `skip` are spans of the text to leave out, in code points.

    >>> sorted(lookup_keys_in("see @Mike O'Connor's notes"))
    ['mike', 'mike o', "mike o'connor", "mike o'connor's", "mike o'connor's notes"]
    """
    parsed = parse(text, skip)
    return frozenset(
        key
        for number in range(len(parsed.signs))
        for _, key, _ in keys_at(parsed, number, policy.max_name_length)
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
    original, classes, positions = text, character_classes(text), None
    if INVISIBLE in classes:
        positions = [at for at, c in enumerate(classes) if c != INVISIBLE]
        text, classes = INVISIBLES.sub("", text), classes.replace(INVISIBLE, "")
    left_out = _visible_stretches(skip, positions) if skip else []
    if ">" in classes or "`" in classes:
        left_out += (found.span() for found in LEFT_OUT.finditer(classes))
    if _has_web_address(classes):
        left_out += (found.span() for found in WEB_ADDRESS.finditer(classes))
    visible = without(classes, left_out) if left_out else classes
    opening = OPENING_WITH_APOSTROPHE if APOSTROPHE in classes else OPENING
    signs = tuple(
        sign
        for found in opening.finditer(classes)
        if _opens(classes, sign := found.start())
        and visible.startswith(classes[sign : sign + 2], sign)
    )
    return ParsedText(original, text, visible, signs, positions)


def keys_at(parsed: ParsedText, number: int, max_length: int) -> Iterator[Key]:
    """The keys of the handle at this sign, longest first (rule 15).

    An address is not read as a name too, unless its inner sign may open a handle.
    """
    start, stop = parsed.signs[number] + 1, parsed.stop_after(number)
    address = address_at(parsed, start)
    if address:
        yield from reversed(address_keys(parsed, address))
    if address is None or address.sign == stop:
        yield from reversed(name_keys(parsed, start, stop=stop, max_length=max_length))


def unknown_end(parsed: ParsedText, number: int) -> int | None:
    """The end of an unknown handle: of its first word, or of its address (rule 19).

    None where no letter or digit follows the sign, which is then no handle.
    """
    start = parsed.signs[number] + 1
    if parsed.classes.startswith(APOSTROPHE, start):
        return None
    if address := address_at(parsed, start):
        end = address.end
    else:
        # A sign that opens has a letter or digit after it, so there is a word.
        end = next(FIRST_WORD.finditer(parsed.classes, start)).end()
    return _without_trailing(parsed.classes, "_", end)


def address_at(parsed: ParsedText, start: int) -> Address | None:
    """Match an address here: a local part, a sign, a domain with a dot."""
    found = ADDRESS.match(parsed.classes, start)
    if found is None or ("." not in found[1] and STOP not in found[1]):
        return None
    return Address(start, found.start(1) - 1, found.end())


def address_keys(parsed: ParsedText, address: Address) -> list[Key]:
    """The keys of the addresses that start here, shortest first."""
    start, last = address.start, min(address.end, address.start + MAX_ADDRESS)
    ends = _ends(parsed.classes, address.sign + 1, stop=last + LOOKAHEAD, last=last)
    even = evenly_folded(parsed.text[start:last])
    if even is None or ASCII_FORM in even or IDEOGRAPHIC_STOP in even:
        return [(end, address_key(parsed.text[start:end]), True) for end in ends]
    return [(end, even[: end - start], True) for end in ends]


def name_keys(
    parsed: ParsedText, start: int, *, stop: int, max_length: int
) -> list[Key]:
    """The keys of the names that start here, shortest first (rule 16)."""
    last = start + max_length
    line = _line_end(parsed.classes, start, min(stop, last + LOOKAHEAD))
    even = evenly_folded(parsed.text[start : min(line, last)])
    if even is None:
        stop = _line_end(parsed.classes, start, stop)
        return _uneven_name_keys(parsed, start, stop=stop, max_length=max_length)
    if INSIDE.search(parsed.classes, start, line) is None:
        pieces = ENDS.finditer(parsed.classes, start, line)
        ends = [end for piece in pieces if (end := piece.end()) <= last]
        return [(end, even[: end - start], True) for end in ends]
    ends = _ends(parsed.classes, start, stop=line, last=last)
    joints = _joints(parsed.classes, start, stop=line, last=last)
    may_end = set(ends)
    return [
        (end, key := even[: end - start], end in may_end or _suffix(parsed, end, key))
        for end in sorted(may_end.union(joints))
    ]


def _uneven_name_keys(
    parsed: ParsedText, start: int, *, stop: int, max_length: int
) -> list[Key]:
    """The same where text and key differ in length, so that no cut is possible."""
    keys: list[Key] = []
    value, done = "", start
    may_end = set(_ends(parsed.classes, start, stop=stop, last=stop))
    joints = _joints(parsed.classes, start, stop=stop, last=stop)
    for end in sorted(may_end.union(joints)):
        # The key of a prefix and the text after it have the key of the whole.
        value = name_key(value + parsed.text[done:end])
        done = end
        if len(value) > max_length:
            break
        keys.append((end, value, end in may_end or _suffix(parsed, end, value)))
    return keys


def _ends(classes: str, start: int, *, stop: int, last: int) -> list[int]:
    """The positions up to `last` at which a name may end."""
    pieces = ENDS.finditer(classes, start, stop)
    ends = [end for piece in pieces if (end := piece.end()) <= last]
    if classes.find("_", start, stop) >= 0:
        runs = EMPHASIS_RUNS.finditer(classes, start, stop)
        ends += (end for run in runs if (end := run.start()) <= last)
        ends.sort()
    return ends


def _joints(classes: str, start: int, *, stop: int, last: int) -> list[int]:
    """The positions up to `last` of joints inside of a name."""
    joints = JOINTS.finditer(classes, start, stop)
    return [at for joint in joints if start < (at := joint.start()) <= last]


def _suffix(parsed: ParsedText, joint: int, key: str) -> bool:
    """Whether a joint begins the suffix of a name of two words or more (rule 16)."""
    is_suffix = parsed.classes[joint] != "." and parsed.text[joint + 1].islower()
    return is_suffix and " " in key


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
    return with_plain_signs(even)


def _visible_stretches(
    skip: Iterable[Span], positions: Sequence[int] | None
) -> list[tuple[int, int]]:
    """Spans of the original text as stretches of the visible one."""
    if positions is None:
        return [(span.start, span.end) for span in skip]
    return [
        (bisect_left(positions, span.start), bisect_left(positions, span.end))
        for span in skip
    ]


def _has_web_address(classes: str) -> bool:
    """A quick check: one character is found much faster than several."""
    if ":" in classes and "://" in classes:
        return True
    return "." in classes and ("w." in classes or "W." in classes)


def _opens(classes: str, sign: int) -> bool:
    """Judge the characters before a sign; emphasis is looked through (rule 14)."""
    before = sign
    while classes[before - 1 : before] in EMPHASIS:
        before -= 1
    if before == 0:
        return True
    if classes[before - 1] not in HINGES:
        return classes[before - 1] not in CLOSED
    before = _without_trailing(classes, MARK, before - 1)
    return before == 0 or classes[before - 1] not in SPACED_LETTERS


def _without_trailing(classes: str, character: str, end: int) -> int:
    while classes[end - 1 : end] == character:
        end -= 1
    return end
