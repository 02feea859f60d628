"""Normalization, tokens and matching: what matches, and exactly where."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from clp_search import terms
from clp_search.analysis.normalization import fold, fold_with_offsets
from clp_search.analysis.phrase_matching import matches, matching_spans
from clp_search.analysis.query_terms import parse_keyword
from clp_search.analysis.tokenizer import tokenize
from clp_search.analysis.work import unbounded
from clp_search.highlighting import highlights
from clp_search.query import parse
from clp_search.terms import MAX_TERM_LENGTH, _tokenized_terms, text_terms
from tests.services.search.texts import pieces, runs, texts

anything = st.one_of(texts, st.text(max_size=60))


# Whatever may join two chunks, stand for a digit, vanish, or change its neighbour.
awkward = st.text(
    "10 ,.-'\u00b7\u30fbab #+\u00df\u00e4\u00e9\u5b57\u5e55\u30ac\u304b\uff9e\u0e01\u0e33\u0e48\u0e4d\u0e38"
    "\u0663\u00b2\u00bd\u2460\u200b\u0301\u3099\ud55c\u1112\u0627\u0644\u3002_\n",
    max_size=14,
)


def _found(text: str, query: str) -> bool:
    keyword = parse_keyword(query)
    return keyword is not None and matches(tokenize(text), keyword, unbounded())


@given(awkward | anything)
def test_folding_with_offsets_folds_like_folding_without(text: str) -> None:
    mapped = fold_with_offsets(text)
    assert mapped.text == fold(text)
    assert len(mapped.starts) == len(mapped.ends) == len(mapped.text)
    places = zip(mapped.starts, mapped.ends, strict=True)
    assert all(0 <= start < end <= len(text) for start, end in places)


@pytest.mark.parametrize(
    "text",
    [
        "\u09c7\u09be",  # one Bengali vowel in two pieces
        "\u0b92\u0bd7 \u0bc6\u0bbe",  # Tamil
        "\u1025\u102e",  # Burmese
        "\u3131\u314f\u11a8",  # Hangul from its letters
        "\uffa1\uffc2",  # the same, half-width
        "\u1100\u1161\u11a8",
        "\uff76\uff9e\uff8a\uff9f",
        "e\u0301\u0323 q\u0307\u0323",
        "\u0e4d\u0e48\u0e32\u0ecd\u0ec9",
        "\u30ce\u30fb\u30a6 \u30fb \u30fb\u30a6\u30fb",
        "\u0301a \u200db\u200d",
    ],
)
def test_pieces_that_make_one_character_are_folded_together(text: str) -> None:
    assert fold_with_offsets(text).text == fold(text)


@given(texts)
def test_every_word_of_a_text_matches_it(text: str) -> None:
    lost = [w for w in text.split() if parse_keyword(w) and not _found(text, w)]
    assert not lost


@given(texts, st.integers(0, 60), st.integers(1, 20))
def test_every_chunk_between_spaces_matches_its_text(
    text: str, start: int, length: int
) -> None:
    words = text.split()
    piece = " ".join(words[start % (len(words) or 1) :][:length])
    keyword = parse_keyword(piece)
    assert keyword is None or matches(tokenize(text), keyword, unbounded())


@given(texts, runs, texts, st.data())
def test_every_part_of_a_run_matches_its_text(
    before: str, characters: list[str], after: str, data: st.DataObject
) -> None:
    first = data.draw(st.integers(0, len(characters) - 1))
    last = data.draw(st.integers(first + 1, len(characters)))
    text = f"{before} {''.join(characters)} {after}"
    assert _found(text, "".join(characters[first:last]))


@given(
    st.lists(
        st.sampled_from(
            ["ab", "abc", "bc", "c", "cab", "final", "mix", "12", "123", "23"]
        ),
        max_size=9,
    )
)
def test_no_text_matches_a_word_it_lacks(words: list[str]) -> None:
    text = ", ".join(words)
    for word in ("ab", "abc", "bc", "cab", "final", "mix", "12", "123", "23"):
        assert _found(text, word) is (word in words)


@given(
    st.text("字幕東京都话", max_size=12),
    st.text("字幕東京都话", min_size=1, max_size=4),
)
def test_a_run_is_found_exactly_where_it_stands(text: str, run: str) -> None:
    assert _found(text, run) is (run in text)
    keyword = parse_keyword(run)
    places = [m.start() for m in re.finditer(f"(?={run})", text)]
    assert [
        start for start, _ in matching_spans(tokenize(text), keyword, unbounded())
    ] == places


@given(anything, anything)
def test_a_text_is_highlighted_exactly_when_it_matches(text: str, query: str) -> None:
    if (keyword := parse_keyword(query)) is not None:
        stream = tokenize(text)
        assert bool(matching_spans(stream, keyword, unbounded())) is matches(
            stream, keyword, unbounded()
        )


@given(texts, pieces)
def test_highlights_are_in_order_apart_and_inside(text: str, query: str) -> None:
    if not query.strip("-"):
        return
    marked = highlights(text, parse(query))
    flat = [place for span in marked for place in span]
    assert flat == sorted(set(flat))
    assert not flat or flat[-1] <= len(text)


@example("it costs 10 000 today")
@example("10 \u00b2\u2070\u2070 and \u0661\u0660 000")
@example("10\u200b 000")
@example("\u30ce\u30fc\u30fb\u30a6\u30a7\u30a4 \u7b2c3\u8a71s02e05\u3002")
@given(awkward | anything)
def test_a_text_has_the_terms_of_its_chunks(text: str) -> None:
    assert text_terms(text) == _tokenized_terms(text)


@given(anything)
def test_terms_are_short_and_hold_no_control_but_their_first(text: str) -> None:
    for term in text_terms(text):
        assert 0 < len(term) <= MAX_TERM_LENGTH
        assert not re.search(r"[\x00-\x1f]", term[1:])


@pytest.mark.parametrize(
    ("text", "query", "marked"),
    [
        ("Please check PKG-12345 today", "PKG-12345", ["PKG-12345"]),
        ("Please check PKG-12345 today", "12345", ["12345"]),
        ("Please check PKG-12345 today", "pkg12345", ["PKG-12345"]),
        ("The Final Mix is ready", "mix final", ["Final", "Mix"]),
        ("The Final Mix is ready", '"final mix"', ["Final Mix"]),
        ("Die Untertiteldatei fehlt", "untertitel*", ["Untertiteldatei"]),
        ("Le café (decomposed) est", "café", ["café"]),
        ("approved 👍🏽 now", "👍", ["👍🏽"]),
        ("ｻﾌﾞﾀｲﾄﾙを修正", "サブ", ["ｻﾌﾞ"]),
        ("trans\u00adlation", "translation", ["trans\u00adlation"]),
        ("東京都の京都", "京都", ["京都", "京都"]),
        ("ノー・ウェイ・ホーム", "ウェイホーム", ["ウェイ・ホーム"]),
        ("ＰＫＧ－１２３４５を確認", "pkg-12345", ["ＰＫＧ－１２３４５"]),
        ("fix it #urgent", "#urgent", ["#urgent"]),
        ("fix it #urgent", "urgent", ["urgent"]),
        ("we use C++ here", "c++", ["C++"]),
        ("Straße", "strasse", ["Straße"]),
        ("株式会社と㍿", "株式", ["株式", "㍿"]),
        ("นํ้าตก", "น้ำ", ["นํ้า"]),
        ("اَلتَّرْجَمَةُ جاهزة", "الترجمة", ["اَلتَّرْجَمَةُ"]),
        ("S02E05 is locked", "s02", ["S02E05"]),
        ("字幕字幕", "字幕", ["字幕字幕"]),
        ("final -mix", "final -mux", ["final"]),
        ("𠮷野家の字幕", "字幕", ["字幕"]),
    ],
)
def test_exactly_the_matches_are_highlighted(
    text: str, query: str, marked: list[str]
) -> None:
    assert [text[start:end] for start, end in highlights(text, parse(query))] == marked


@pytest.mark.parametrize("sign", ["a", "字", "ก", "a-", "#a ", "1,000", "\ufdfa", "a'"])
def test_the_longest_text_is_tokenized_in_linear_time(sign: str) -> None:
    text = (sign * 10_000)[:10_000]
    keyword = parse_keyword(f"{sign * 20} {sign * 3}")
    assert keyword is not None
    stream = tokenize(text)
    assert len(stream.tokens) <= 40 * len(text)
    matching_spans(stream, keyword, unbounded())


def test_the_term_cache_is_bounded_and_keeps_frequent_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(terms, "_MAX_CACHED", 10)
    remembered, kept = terms._TermCache(), 0
    for turn in range(20):
        # Nine new words, then all earlier ones.
        words = [f"new{turn}x{n}" for n in range(9)]
        words += [f"new{old}x{n}" for old in range(turn) for n in range(9)]
        for word in words:
            assert word in remembered[word]
            kept = max(kept, len(remembered) + len(remembered._before))
    assert kept <= 20
