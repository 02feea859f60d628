"""A reference parser for rules 14 to 19: slow, one character at a time, no patterns.

Written from the rules alone, to compare the parser with.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from clp_core.people import Person

SIGNS = "@＠"
BREAKS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
CLOSED = SIGNS + "_＿#!$%&*\\"
JOINTS = ".-'’"
LOCAL = ".!#$%&'’*+/=?^{|}~-_＿"
# The first words of the names Unicode gives to letters that may touch their neighbours.
UNSPACED = (
    "BOPOMOFO", "CJK", "HANGUL", "HANGZHOU", "HENTAIGANA", "HIRAGANA", "KANGXI",
    "IDEOGRAPHIC ANNOTATION", "IDEOGRAPHIC CLOSING", "IDEOGRAPHIC ITERATION",
    "IDEOGRAPHIC NUMBER", "KATAKANA", "KHMER", "LAO", "MASU", "MYANMAR",
    "OLD CHINESE", "THAI", "VERTICAL IDEOGRAPHIC", "VERTICAL KANA",
)  # fmt: skip
# Letters by name, but spelled after the letter before them.
CLINGING = (
    "HANGUL JUNGSEONG", "HANGUL JONGSEONG", "THAI CHARACTER SARA AM",
    "LAO VOWEL SIGN AM", "HALFWIDTH KATAKANA VOICED", "HALFWIDTH KATAKANA SEMI",
    "ZERO WIDTH JOINER", "ZERO WIDTH NON-JOINER",
)  # fmt: skip


def key(text: str) -> str:
    """NFKC, case folding, runs of spaces as one."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())


def is_mark(c: str) -> bool:
    name = unicodedata.name(c, "")
    is_enclosing_key = name == "COMBINING ENCLOSING KEYCAP"
    if unicodedata.category(c).startswith("M") and not is_enclosing_key:
        return True
    return name.startswith(CLINGING) or (
        # Hangul vowels and finals that no name has been given to yet
        0x1160 <= ord(c) < 0x1200 or 0xD7B0 <= ord(c) < 0xD800
    )


def is_unspaced(c: str) -> bool:
    name = unicodedata.name(c, "").removeprefix("HALFWIDTH ")
    return (
        not is_mark(c)
        and name.startswith(UNSPACED)
        and unicodedata.category(c) != "Nd"
        and (c.isalnum() or "RADICAL" in name)
    )


def is_letter(c: str) -> bool:
    return (c.isalnum() and not is_mark(c)) or is_unspaced(c)


def is_word(c: str) -> bool:
    return is_letter(c) or is_mark(c) or c in "_＿"


def base_before(text: str, at: int) -> str:
    while at and is_mark(text[at - 1]):
        at -= 1
    return text[at - 1 : at]


def opens(text: str, at: int) -> bool:
    """Rule 14."""
    if text[at] not in SIGNS or not is_letter(text[at + 1 : at + 2] or " "):
        return False
    before = base_before(text, at)
    if before and before in "-+.":
        hinge = text.rindex(before, 0, at)
        further = base_before(text, hinge)
        return not further or not is_letter(further) or is_unspaced(further)
    if not before or is_unspaced(before):
        return True
    return before not in CLOSED and not is_letter(before)


def left_out(text: str) -> list[bool]:
    """Rule 17, for each character: quoted lines, and code between runs of backticks."""
    out = [False] * len(text)
    start = 0
    for end in range(len(text) + 1):
        if end < len(text) and text[end] not in BREAKS:
            continue
        ticks = [
            at
            for at in range(start, end)
            if text[at] == "`" and (at == start or text[at - 1] != "`")
        ]
        stretches = [
            (first, run_end(text, second))
            for first, second in zip(ticks[::2], ticks[1::2], strict=False)
        ]
        if text[start : start + 1] == ">":
            stretches = [(start, end)]
        for first, last in stretches:
            out[first:last] = [True] * (last - first)
        start = end + 1
    return out


def run_end(text: str, at: int) -> int:
    while text[at : at + 1] == "`":
        at += 1
    return at


def joins(text: str, at: int) -> bool:
    """Whether this character joins the words beside it (rule 16)."""
    follows = text[at + 1 : at + 2]
    joint = text[at] in JOINTS and follows != ""
    return joint and is_letter(follows) and not is_unspaced(follows)


def is_possessive(text: str, at: int) -> bool:
    follows, beyond = text[at + 1 : at + 2], text[at + 2 : at + 3]
    ends = beyond == "" or not is_word(beyond) or is_unspaced(beyond)
    return text[at] in "'’" and follows in ("s", "S") and ends


def ends_word(text: str, at: int) -> bool:
    """Rule 16: whether a name may end before this place."""
    if text[at - 1].isspace():
        return False
    if at == len(text):
        return True
    before, after = base_before(text, at), text[at]
    if is_mark(after):
        return False
    if is_unspaced(after) or (before != "" and is_unspaced(before)):
        return True
    return not is_word(after) and (not joins(text, at) or is_possessive(text, at))


def address_at(text: str, start: int) -> tuple[int, int] | None:
    """The inner sign and the end of what looks like an address."""
    sign = start
    while sign < len(text) and (is_word(text[sign]) or text[sign] in LOCAL):
        sign += 1
    if not 0 < sign - start <= 64 or text[sign : sign + 1] not in tuple(SIGNS):
        return None
    end = domain_end(text, sign + 1)
    return (sign, end) if "." in text[sign + 1 : end] else None


def domain_end(text: str, start: int) -> int:
    """The end of words joined by dots and hyphens."""
    end = at = start
    while at < len(text) and is_word(text[at]):
        while at < len(text) and is_word(text[at]):
            at += 1
        end = at
        if text[at : at + 1] == ".":
            at += 1
        else:
            while text[at : at + 1] == "-":
                at += 1
        if at == end or not is_letter(text[at : at + 1] or " "):
            break
    return end


@dataclass(frozen=True)
class _Directory:
    signs: list[int]
    names: dict[str, set[str]]
    addresses: dict[str, set[str]]

    def owners(self, key: str) -> set[str] | None:
        return self.addresses.get(key) or self.names.get(key)


def handles(
    text: str, people: Iterable[Person], skip: Sequence[tuple[int, int]] = ()
) -> Iterator[tuple[int, int, frozenset[str]]]:
    """Start, end and the ids of the people meant, for each handle."""
    names: dict[str, set[str]] = {}
    addresses: dict[str, set[str]] = {}
    for person in people:
        names.setdefault(key(person.name), set()).add(person.id)
        addresses.setdefault(key(person.email), set()).add(person.id)
    out = left_out(text)
    for first, last in skip:
        out[first:last] = [True] * len(out[first:last])
    # What is left out ends a name as a line break does, but does not count in rule 14.
    visible = "".join("\n" if hide else c for c, hide in zip(text, out, strict=True))
    signs = [at for at in range(len(text)) if opens(text, at)]
    signs = [at for at in signs if visible[at : at + 2] == text[at : at + 2]]
    done = 0
    for sign in signs:
        if sign >= done:
            done, found = match(visible, sign, _Directory(signs, names, addresses))
            yield sign, done, found


def match(
    visible: str,
    sign: int,
    directory: _Directory,
) -> tuple[int, frozenset[str]]:
    start = sign + 1
    address = address_at(visible, start)
    ends: list[int] = []
    if address:
        inner, last = address
        ends += [e for e in range(last, inner + 1, -1) if ends_word(visible, e)]
    stop = min([s for s in directory.signs if s > sign], default=len(visible))
    if not address or address[0] == stop:
        line = next((at for at in range(start, stop) if visible[at] in BREAKS), stop)
        ends += [e for e in range(line, start, -1) if ends_word(visible, e)]
    for end in ends:
        wanted = key(visible[start:end])
        if people := directory.owners(wanted):
            return end, frozenset(people)
    return (address[1] if address else first_word(visible, start)), frozenset()


def first_word(visible: str, start: int) -> int:
    """Where the first word ends; letters that may touch are one word here."""
    at = start
    while at < len(visible) and (
        is_word(visible[at]) or (joins(visible, at) and not is_possessive(visible, at))
    ):
        at += 1
    return at
