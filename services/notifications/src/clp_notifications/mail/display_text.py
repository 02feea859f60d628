"""What of a person's words is shown: every letter, and nothing that acts unseen.

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
# What runs against a sentence of each direction.
AGAINST: Final = {"ltr": RIGHT_TO_LEFT, "rtl": frozenset({"L"})}


def one_line(value: str) -> str:
    """A name or a title as one line without controls; empty when nothing is left."""
    line = SURROGATES.sub(REPLACEMENT, value)
    line = REORDERING.sub("", ANY_CONTROL.sub(" ", line))
    return BLANKS.sub(" ", line).strip()


def shown_text(value: str) -> str:
    """A message's text with one form of line end and its controls made visible.

    Blanks around it are left out: they show nothing and push away what follows.
    """
    # Most texts have no controls, and looking for them takes longer than this.
    if value.replace("\n", "").isprintable():
        return value.strip()
    return CONTROLS.sub(_picture, LINE_ENDS.sub("\n", value)).strip()


def _picture(control: re.Match[str]) -> str:
    code = ord(control[0])
    if code < ord(" "):
        return chr(CONTROL_PICTURES + code)
    return "\u2421" if code == DELETE else REPLACEMENT


def isolated(line: str, direction: str = "ltr") -> str:
    """A piece of a sentence whose direction must not turn its neighbours round."""
    against = AGAINST[direction]
    if any(unicodedata.bidirectional(letter) in against for letter in line):
        return f"{ISOLATE}{line}{END_ISOLATE}"
    return line


def clusters(text: str) -> Iterator[str]:
    """Letters with all that belongs to them: accents, and emoji joined to one."""
    cluster = ""
    for letter in text:
        if cluster and not _continues(cluster, letter):
            yield cluster
            cluster = ""
        cluster += letter
    if cluster:
        yield cluster


def _continues(cluster: str, letter: str) -> bool:
    return (
        letter == JOINER
        or cluster.endswith(JOINER)
        or unicodedata.category(letter) in EXTENDING
        or "\U0001f3fb" <= letter <= "\U0001f3ff"
    )


def cut(text: str, most: int) -> str:
    """At most so many characters, never half a letter, with a mark where it was cut."""
    if len(text) <= most:
        return text
    kept = ""
    for cluster in clusters(text[: most * 2]):
        if len(kept) + len(cluster) + len(MORE) > most:
            break
        kept += cluster
    return kept.rstrip() + MORE
