"""Every script: what a message holds finds it, and nothing else does (rule 34).

Held against a scan that shares nothing with the analysis: letters are chosen so that
plain Python can say what a word, a piece and a match are.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clp_search.engine import Engine
from tests.services.search.scenario import BROADCAST, Engines, document, found, told

# Written with spaces: a word is found whole. No letter here folds into another one.
SPACED = {
    "Latin": "bcdfghkmnprtvz",
    "Greek": "βγδζθκλμνξπρφχψ",
    "Cyrillic": "бвгджзклмнпртфцчш",
    "Armenian": "բգդզթժլխծկհձղճմ",
    "Georgian": "ბგდვზთკლმნპჟრს",
    "Hebrew": "בגדזחטלנסעפקרש",
    "Arabic": "بتثجحخدذرزسشصض",
    "Devanagari": ("का", "कि", "गी", "चु", "टे", "तो", "नं", "पा", "मि", "रु", "सौ"),
    "Tamil": ("கா", "சி", "டு", "தெ", "னோ", "பை", "மு", "ரா", "லி", "வே"),
    "Ethiopic": "ሀለሐመሠረሰቀበተ",
    "Cherokee": "ᎠᎡᎢᎣᎤᎥᎦᎧᎨᎩ",
}
# Written without: any piece of whole characters finds the message.
UNSPACED = {
    "Han": "字幕山川火水木金土日月",
    "Hiragana": "あいうえおかきくけこさし",
    "Katakana": "アイウエオカキクケコサシ",
    "Hangul": "가나다라마바사아자차카",
    "Bopomofo": "ㄅㄆㄇㄈㄉㄊㄋㄌㄍㄎ",
    "Thai": ("ก", "ข", "ค", "ง", "กา", "ขี", "คุ", "แม", "นี้", "น้ำ", "ไป"),
    "Lao": ("ກ", "ຂ", "ຄ", "ງ", "ກາ", "ຂີ", "ຄຸ", "ນີ້", "ໄປ"),
    "Khmer": ("ក", "ខ", "គ", "កា", "ខី", "គុ", "ស្រ", "ផ្ញើ"),
    "Burmese": ("က", "ခ", "ဂ", "ကာ", "ခီ", "ဂု", "ပို့", "မြ"),
}
MESSAGES, QUERIES = 40, 12
SEEDS = st.integers(0, 2**32)


@dataclass(frozen=True, slots=True)
class Said:
    """A message as the pieces between its spaces, each a list of whole characters."""

    script: str
    words: tuple[tuple[str, ...], ...]

    @property
    def text(self) -> str:
        return " ".join("".join(word) for word in self.words)

    def holds(self, wanted: str, script: str) -> bool:
        """What plain Python says."""
        if script in UNSPACED:
            return any(wanted in "".join(word) for word in self.words)
        return any(wanted == "".join(word) for word in self.words)


def _said(chance: random.Random) -> Said:
    script = chance.choice([*SPACED, *UNSPACED])
    letters = (SPACED | UNSPACED)[script]
    # Few letters, so that messages share pieces and hold the same ones in other orders.
    some, longest = (letters[:3], 6) if script in UNSPACED else (letters[:4], 3)
    words = (
        tuple(chance.choice(some) for _ in range(chance.randint(1, longest)))
        for _ in range(chance.randrange(1, 7))
    )
    return Said(script, tuple(words))


def _asked(said: Said, chance: random.Random) -> str:
    """A word of a message, or where words are not told apart any piece of one."""
    word = chance.choice(said.words)
    if said.script not in UNSPACED:
        return "".join(word)
    first = chance.randrange(len(word))
    return "".join(word[first : chance.randrange(first, len(word)) + 1])


def _queries(all_said: list[Said], chance: random.Random) -> Iterator[tuple[str, str]]:
    for _ in range(QUERIES):
        said = chance.choice(all_said)
        yield said.script, _asked(said, chance)


def _compare(engine: Engine, seed: int) -> None:
    chance = random.Random(seed)
    all_said = [_said(chance) for _ in range(MESSAGES)]
    told(engine, [document(n, said.text) for n, said in enumerate(all_said)])
    if chance.random() < 0.5:
        engine.checkpoint()
    for script, wanted in _queries(all_said, chance):
        scanned = [
            f"m{n}" for n, said in enumerate(all_said) if said.holds(wanted, script)
        ]
        assert scanned
        assert found(engine, wanted, [BROADCAST]) == scanned[::-1], wanted
        typed = wanted.upper()
        assert found(engine, typed, [BROADCAST]) == scanned[::-1], typed


@pytest.mark.property
@given(SEEDS)
@settings(max_examples=25)
def test_every_message_is_found_by_what_it_holds_and_no_other_is(
    engines: Engines, seed: int
) -> None:
    """Forty messages, a dozen questions, in 25 rounds: 12,000 pairs."""
    with engines() as engine:
        _compare(engine, seed)


@pytest.mark.property
@given(SEEDS)
@settings(max_examples=10)
def test_all_of_several_words_are_found_together(engines: Engines, seed: int) -> None:
    chance = random.Random(seed)
    all_said = [_said(chance) for _ in range(MESSAGES)]
    with engines() as engine:
        told(engine, [document(n, said.text) for n, said in enumerate(all_said)])
        for _ in range(QUERIES // 2):
            said = chance.choice(all_said)
            words = {_asked(said, chance), _asked(said, chance)}
            scanned = [
                f"m{n}"
                for n, other in enumerate(all_said)
                if all(other.holds(word, said.script) for word in words)
            ]
            assert found(engine, " ".join(words), [BROADCAST]) == scanned[::-1]
            excluded = max(words)
            left = [
                f"m{n}"
                for n, other in enumerate(all_said)
                if not other.holds(excluded, said.script)
            ]
            assert found(engine, f"-{excluded}", [BROADCAST]) == left[::-1]
