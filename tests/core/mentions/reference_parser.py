"""A reference parser for rules 14 to 19: slow, one character at a time, no patterns.

Written from the rules alone, to compare the parser with.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from clp_core.people import Person

SIGNS = "@＠"
BREAKS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
CLOSED = SIGNS + "#!$%&\\"
EMPHASIS = "*_＿"
APOSTROPHES = "'’‘ʼʻ＇"
HYPHENS = "-‐‑−－﹣֊־"
JOINTS = "." + HYPHENS + APOSTROPHES
DOTS = ".。．｡"
LOCAL = ".!#$%&*+/=?^{|}~_＿" + HYPHENS + APOSTROPHES
INVISIBLE = (
    "SOFT HYPHEN", "ARABIC LETTER MARK", "ZERO WIDTH SPACE", "ZERO WIDTH NON-JOINER",
    "ZERO WIDTH JOINER", "LEFT-TO-RIGHT MARK", "RIGHT-TO-LEFT MARK", "WORD JOINER",
    "LEFT-TO-RIGHT ISOLATE", "RIGHT-TO-LEFT ISOLATE", "FIRST STRONG ISOLATE",
    "POP DIRECTIONAL ISOLATE", "ZERO WIDTH NO-BREAK SPACE",
)  # fmt: skip
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
)  # fmt: skip


def key(text: str) -> str:
    """NFKC, case folding, runs of spaces as one; plain apostrophes and hyphens."""
    seen = "".join(c for c in text if not is_invisible(c))
    folded = unicodedata.normalize("NFKC", seen).casefold()
    folded = unicodedata.normalize("NFKC", folded)
    plain = "".join(
        "'" if c in APOSTROPHES else "-" if c in HYPHENS else c for c in folded
    )
    return " ".join(plain.split())


def typed_key(text: str) -> str:
    """The key of a typed address: another full stop in its domain is a dot."""
    local, sign, domain = key(text).rpartition("@")
    return local + sign + domain.replace("。", ".")


def is_invisible(c: str) -> bool:
    return unicodedata.name(c, "") in INVISIBLE


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


def is_attached(c: str) -> bool:
    """Hebrew and Arabic write "to" and "and" attached to the next word."""
    name = unicodedata.name(c, "")
    is_digit = unicodedata.category(c) == "Nd"
    return name.startswith(("HEBREW", "ARABIC")) and is_letter(c) and not is_digit


def is_letter(c: str) -> bool:
    if c in APOSTROPHES:
        return False
    return (c.isalnum() and not is_mark(c)) or is_unspaced(c)


def is_spaced_letter(c: str) -> bool:
    return is_letter(c) and not is_unspaced(c)


def is_word(c: str) -> bool:
    return is_letter(c) or is_mark(c) or c in "_＿"


def base_before(text: str, at: int) -> str:
    while at and is_mark(text[at - 1]):
        at -= 1
    return text[at - 1 : at]


def opens(text: str, at: int) -> bool:
    """Rule 14."""
    if text[at] not in SIGNS:
        return False
    follows = text[at + 1 : at + 2]
    if follows and follows in APOSTROPHES:
        follows = text[at + 2 : at + 3]
    if not is_letter(follows or " "):
        return False
    start = at
    while start and (is_mark(text[start - 1]) or text[start - 1] in EMPHASIS):
        start -= 1
    before = text[start - 1 : start]
    if before and (before in HYPHENS or before in "+."):
        further = base_before(text, start - 1)
        return not further or not closes(further)
    return not before or not (closes(before) or before in CLOSED)


def closes(c: str) -> bool:
    """A letter after which no handle opens, or a digit."""
    return is_spaced_letter(c) and not is_attached(c)


def left_out(text: str) -> list[bool]:
    """Rule 17, for each character: quoted lines, code, and web addresses."""
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
    for at in range(len(text)):
        if begins_web_address(text, at):
            end = at
            while end < len(text) and not ends_web_address(text[end]):
                out[end] = True
                end += 1
    return out


def begins_web_address(text: str, at: int) -> bool:
    before = text[at - 1 : at] if at else ""
    if text[at : at + 4].lower() == "www.":
        closed = is_spaced_letter(before or " ") and not is_attached(before)
        return not closed and before not in tuple(SIGNS)
    in_scheme = before != "" and (
        (before.isascii() and before.isalnum()) or before in "+.-"
    )
    accented = before != "" and closes(before)
    hyphen = before != "" and before in HYPHENS
    return text[at : at + 3] == "://" and (in_scheme or accented or hyphen)


def ends_web_address(c: str) -> bool:
    if c in SIGNS + "_＿" or c in HYPHENS or c in APOSTROPHES:
        return False
    width = unicodedata.east_asian_width(c)
    wide = width in ("W", "H") and unicodedata.category(c).startswith("P")
    return c.isspace() or wide or width == "F"


def run_end(text: str, at: int) -> int:
    while text[at : at + 1] == "`":
        at += 1
    return at


def joins(text: str, at: int) -> bool:
    """Whether this character joins the words beside it (rule 16)."""
    follows = text[at + 1 : at + 2]
    return text[at] in JOINTS and follows != "" and is_spaced_letter(follows)


def is_possessive(text: str, at: int) -> bool:
    follows, beyond = text[at + 1 : at + 2], text[at + 2 : at + 3]
    ends = beyond == "" or not is_word(beyond) or is_unspaced(beyond)
    return text[at] in APOSTROPHES and follows in ("s", "S") and ends


def is_emphasis(text: str, at: int) -> bool:
    """Whether a run of underscores begins here with no letter or digit after it."""
    while text[at : at + 1] in ("_", "＿"):
        at += 1
    return not is_letter(text[at : at + 1] or " ")


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
    if after in "_＿" and text[at - 1] not in "_＿" and is_emphasis(text, at):
        return True
    return not is_word(after) and (not joins(text, at) or is_possessive(text, at))


def is_joint(text: str, at: int) -> bool:
    """Whether a joint at which a name may not end begins here."""
    inside = 0 < at < len(text) and not text[at - 1].isspace()
    return inside and joins(text, at) and not ends_word(text, at)


def is_suffix(text: str, at: int, name: str) -> bool:
    """A name of two words ends at a hyphen or apostrophe before a lower-case letter."""
    return text[at] != "." and text[at + 1].islower() and " " in name


def address_at(text: str, start: int) -> tuple[int, int] | None:
    """The inner sign and the end of what looks like an address."""
    sign = start
    while sign < len(text) and (is_word(text[sign]) or text[sign] in LOCAL):
        sign += 1
    if not 0 < sign - start <= 64 or text[sign : sign + 1] not in tuple(SIGNS):
        return None
    end = domain_end(text, sign + 1)
    has_dot = any(dot in text[sign + 1 : end] for dot in DOTS)
    return (sign, end) if has_dot else None


def domain_end(text: str, start: int) -> int:
    """The end of words joined by dots and hyphens."""
    end = at = start
    while at < len(text) and is_word(text[at]):
        while at < len(text) and is_word(text[at]):
            at += 1
        end = at
        if text[at : at + 1] in tuple(DOTS):
            at += 1
        else:
            while text[at : at + 1] in tuple(HYPHENS):
                at += 1
        if at == end or not is_letter(text[at : at + 1] or " "):
            break
    return end


@dataclass(frozen=True)
class _Directory:
    signs: list[int]
    names: dict[str, set[str]]
    addresses: dict[str, set[str]]

    def owners(self, text: str) -> set[str] | None:
        return (
            self.addresses.get(key(text))
            or self.addresses.get(typed_key(text))
            or self.names.get(key(text))
        )


def handles(
    text: str, people: Iterable[Person], skip: Sequence[tuple[int, int]] = ()
) -> Iterator[tuple[int, int, frozenset[str]]]:
    """Start, end and the ids of the people meant, for each handle."""
    names: dict[str, set[str]] = {}
    addresses: dict[str, set[str]] = {}
    for person in people:
        names.setdefault(key(person.name), set()).add(person.id)
        addresses.setdefault(key(person.email), set()).add(person.id)
    seen = [at for at, c in enumerate(text) if not is_invisible(c)]
    skipped = [any(first <= at < last for first, last in skip) for at in seen]
    text = "".join(text[at] for at in seen)
    out = [a or b for a, b in zip(left_out(text), skipped, strict=True)]
    # What is left out ends a name as a line break does, but does not count in rule 14.
    visible = "".join("\n" if hide else c for c, hide in zip(text, out, strict=True))
    signs = [at for at in range(len(text)) if opens(text, at)]
    signs = [at for at in signs if visible[at : at + 2] == text[at : at + 2]]
    done = 0
    for sign in signs:
        if sign < done:
            continue
        found = match(visible, sign, _Directory(signs, names, addresses))
        if found is not None:
            done, meant = found
            yield seen[sign], seen[done - 1] + 1, meant


def match(
    visible: str, sign: int, directory: _Directory
) -> tuple[int, frozenset[str]] | None:
    start = sign + 1
    address = address_at(visible, start)
    ends: list[int] = []
    if address:
        inner, last = address
        ends += [e for e in range(last, inner + 1, -1) if ends_word(visible, e)]
    stop = min([s for s in directory.signs if s > sign], default=len(visible))
    if not address or address[0] == stop:
        line = next((at for at in range(start, stop) if visible[at] in BREAKS), stop)
        ends += [
            e
            for e in range(line, start, -1)
            if ends_word(visible, e) or (e < line and is_joint(visible, e))
        ]
    for end in ends:
        if people := directory.owners(visible[start:end]):
            name = key(visible[start:end])
            if ends_word(visible, end) or is_suffix(visible, end, name):
                return end, frozenset(people)
            break
    if visible[start] in APOSTROPHES:
        return None
    end = address[1] if address else first_word(visible, start)
    while visible[end - 1] in "_＿":
        end -= 1
    return end, frozenset()


def first_word(visible: str, start: int) -> int:
    """Where the first word ends; letters that may touch are one word here."""
    at = start
    while at < len(visible) and (
        is_word(visible[at]) or (joins(visible, at) and not is_possessive(visible, at))
    ):
        at += 1
    return at
