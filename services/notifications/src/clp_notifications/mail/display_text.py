"""Make text from people safe to show: every character, and no hidden effect.

A name or a title becomes one line without controls. A text keeps its lines; controls
become visible marks. What is kept looks as it was typed.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

LINE_ENDS: Final = re.compile("\r\n|[\n\r\x0b\x0c\x85\u2028\u2029]")
CONTROLS: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
ANY_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
SURROGATES: Final = re.compile("[\ud800-\udfff]")
# Embeddings, overrides and isolates: they reorder what follows them, too.
REORDERING: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")
BLANKS: Final = re.compile(" {2,}")

REPLACEMENT: Final = "\ufffd"
ISOLATE, END_ISOLATE = "\u2068", "\u2069"
CONTROL_PICTURES: Final = 0x2400
DELETE: Final = 0x7F
JOINER: Final = "\u200d"
MORE: Final = "…"
EXTENDING: Final = frozenset({"Mn", "Me", "Mc"})
RIGHT_TO_LEFT: Final = frozenset({"R", "AL", "AN"})
# Bidirectional classes that run against a sentence of each direction.
AGAINST: Final = {"ltr": RIGHT_TO_LEFT, "rtl": frozenset({"L"})}


def one_line(value: str) -> str:
    """A name or a title as one line without controls; empty when nothing is left."""
    line = SURROGATES.sub(REPLACEMENT, value)
    line = REORDERING.sub("", ANY_CONTROL.sub(" ", line))
    return BLANKS.sub(" ", line).strip()


def shown_text(value: str) -> str:
    """A message's text with LF line ends and visible controls, without outer blanks."""
    # Most texts have no controls, and searching for them takes longer than this.
    if value.replace("\n", "").isprintable():
        return value.strip()
    return CONTROLS.sub(_picture, LINE_ENDS.sub("\n", value)).strip()


def _picture(control: re.Match[str]) -> str:
    code = ord(control[0])
    if code < ord(" "):
        return chr(CONTROL_PICTURES + code)
    return "\u2421" if code == DELETE else REPLACEMENT


def isolated(line: str, direction: str = "ltr") -> str:
    """Isolate a part of a sentence that runs against the sentence's direction."""
    # Most names are ASCII, and looking at each character takes longer than this.
    if direction == "ltr" and line.isascii():
        return line
    against = AGAINST[direction]
    if any(unicodedata.bidirectional(character) in against for character in line):
        return f"{ISOLATE}{line}{END_ISOLATE}"
    return line


def graphemes(text: str) -> Iterator[str]:
    """Graphemes: characters with their accents, and joined emoji."""
    grapheme = ""
    for character in text:
        if grapheme and not _continues(grapheme, character):
            yield grapheme
            grapheme = ""
        grapheme += character
    if grapheme:
        yield grapheme


def _continues(grapheme: str, character: str) -> bool:
    return (
        character == JOINER
        or grapheme.endswith(JOINER)
        or unicodedata.category(character) in EXTENDING
        or "\U0001f3fb" <= character <= "\U0001f3ff"
    )


def cut(text: str, max_length: int) -> str:
    """At most ``max_length`` characters, cut between graphemes, with a mark."""
    if len(text) <= max_length:
        return text
    kept = ""
    for grapheme in graphemes(text[: max_length * 2]):
        if len(kept) + len(grapheme) + len(MORE) > max_length:
            break
        kept += grapheme
    return kept.rstrip() + MORE
