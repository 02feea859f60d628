"""Every script: a message matches what it holds, and nothing else (rule 34).

Compared with a scan that shares nothing with the analysis: letters are chosen so that
plain Python can decide what a word, a run and a match are.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clp_search.engine import Engine
from tests.services.search.scenario import (
    BROADCAST,
    Engines,
    apply_to,
    document,
    search_ids,
)

# Written with spaces: a word matches whole. No letter here folds into another one.
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
# Written without spaces: any part of whole characters matches.
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
class ScriptText:
    """A message as chunks between spaces, each a list of whole characters."""

    script: str
    words: tuple[tuple[str, ...], ...]

    @property
    def text(self) -> str:
        return " ".join("".join(word) for word in self.words)

    def matches(self, query: str, script: str) -> bool:
        """Decide a match in plain Python."""
        if script in UNSPACED:
            return any(query in "".join(word) for word in self.words)
        return any(query == "".join(word) for word in self.words)


def _sample(chance: random.Random) -> ScriptText:
    script = chance.choice([*SPACED, *UNSPACED])
    letters = (SPACED | UNSPACED)[script]
    # Few letters, so that messages share chunks and hold the same ones in other orders.
    some, longest = (letters[:3], 6) if script in UNSPACED else (letters[:4], 3)
    words = (
        tuple(chance.choice(some) for _ in range(chance.randint(1, longest)))
        for _ in range(chance.randrange(1, 7))
    )
    return ScriptText(script, tuple(words))


def _query_for(sample: ScriptText, chance: random.Random) -> str:
    """Return a word of a message, or any part of a chunk without word boundaries."""
    word = chance.choice(sample.words)
    if sample.script not in UNSPACED:
        return "".join(word)
    first = chance.randrange(len(word))
    return "".join(word[first : chance.randrange(first, len(word)) + 1])


def _queries(
    texts: list[ScriptText], chance: random.Random
) -> Iterator[tuple[str, str]]:
    for _ in range(QUERIES):
        sample = chance.choice(texts)
        yield sample.script, _query_for(sample, chance)


def _compare(engine: Engine, seed: int) -> None:
    chance = random.Random(seed)
    texts = [_sample(chance) for _ in range(MESSAGES)]
    apply_to(engine, [document(n, sample.text) for n, sample in enumerate(texts)])
    if chance.random() < 0.5:
        engine.checkpoint()
    for script, query in _queries(texts, chance):
        scanned = [
            f"m{n}" for n, sample in enumerate(texts) if sample.matches(query, script)
        ]
        assert scanned
        assert search_ids(engine, query, [BROADCAST]) == scanned[::-1], query
        typed = query.upper()
        assert search_ids(engine, typed, [BROADCAST]) == scanned[::-1], typed


@pytest.mark.property
@given(SEEDS)
@settings(max_examples=25)
def test_a_message_matches_exactly_what_it_holds(engines: Engines, seed: int) -> None:
    """Forty messages, a dozen queries, in 25 rounds: 12,000 pairs."""
    with engines() as engine:
        _compare(engine, seed)


@pytest.mark.property
@given(SEEDS)
@settings(max_examples=10)
def test_several_words_all_have_to_match(engines: Engines, seed: int) -> None:
    chance = random.Random(seed)
    texts = [_sample(chance) for _ in range(MESSAGES)]
    with engines() as engine:
        apply_to(engine, [document(n, sample.text) for n, sample in enumerate(texts)])
        for _ in range(QUERIES // 2):
            sample = chance.choice(texts)
            words = {_query_for(sample, chance), _query_for(sample, chance)}
            scanned = [
                f"m{n}"
                for n, other in enumerate(texts)
                if all(other.matches(word, sample.script) for word in words)
            ]
            assert search_ids(engine, " ".join(words), [BROADCAST]) == scanned[::-1]
            excluded = max(words)
            left = [
                f"m{n}"
                for n, other in enumerate(texts)
                if not other.matches(excluded, sample.script)
            ]
            assert search_ids(engine, f"-{excluded}", [BROADCAST]) == left[::-1]
