"""Snippets: enough of a text to recognize it, cut where no character breaks."""

from itertools import product

from hypothesis import example, given
from hypothesis import strategies as st

from clp_contracts.search import Span
from clp_search.analysis.characters import continues
from clp_search.highlighting import Spans, first_highlights, highlights
from clp_search.query import parse
from clp_search.snippets import MAX_LENGTH, file_snippets, snippet, text_snippet
from tests.services.search.scenario import document
from tests.services.search.texts import GAPS, SIGNS, WORDS, texts


def test_a_short_text_is_shown_whole() -> None:
    shown = text_snippet(document(1, "The final mix is ready"), parse("mix"))
    assert (shown.text, shown.start) == ("The final mix is ready", 0)
    assert shown.highlights == (Span(start=10, end=13),)


def test_a_long_text_is_cut_around_its_first_match() -> None:
    text = "word " * 500 + "needle in it " + "word " * 500
    shown = text_snippet(document(1, text), parse("needle"))
    assert len(shown.text) == MAX_LENGTH
    assert shown.text.startswith("word")
    (span,) = shown.highlights
    assert shown.text[span.start : span.end] == "needle"
    assert text[shown.start :].startswith(shown.text)


LONG_QUERIES = (
    "mix",
    "mi*",
    "\u5b57\u5e55",
    "mix final",
    '"final mix"',
    "10000",
    "mix -cut",
    "e-mail",
)
SAID = st.lists(
    st.sampled_from(
        [
            "mix",
            "final",
            "\u5b57\u5e55",
            "10",
            "000",
            "e-",
            "mail",
            "x" * 90,
            "\n",
            "\u00e9",
        ]
    ),
    max_size=60,
)


@example([], ["mix"] * 40, "mix", 960)
@example(["mix"], ["mail"], "e-mail", 990)
@given(SAID, SAID, st.sampled_from(LONG_QUERIES), st.integers(960, 1_040))
def test_a_long_text_has_the_snippet_of_the_whole_text(
    before: list[str], after: list[str], query: str, filled: int
) -> None:
    text = f"{' '.join(before):<{filled}}{' '.join(after)} " + "word " * 100
    read = parse(query)
    shown = text_snippet(document(1, text), read)
    assert shown == snippet(text, highlights(text, read))


SOUGHT = st.lists(
    st.sampled_from((*WORDS, *SIGNS, "e-mail", "email", "#final", "c++", "e05", "usa")),
    min_size=1,
    max_size=3,
)
PIECES = st.lists(
    st.tuples(
        st.sampled_from(
            (*WORDS, *SIGNS, "\u0663", "\u00a8", "\u093e", "U.S.A.", "e-mail")
        ),
        st.sampled_from(GAPS),
    ),
    max_size=30,
).map(lambda pairs: "".join(piece + gap for piece, gap in pairs))


@example("fin mix", ["fin*"], 1_000)
@example("\u0663 000 10 000", ["10000", "000"], 1_000)
@example("U.S.A. e-mail don't", ["usa", "email"], 1_000)
@example("\u0e33 \u0301mix mi\u0301x", ["mix"], 1_000)
@example("M\u00fcller\u00a0Mueller\tmuller", ["muller", "mueller"], 1_000)
@example("xa-aa", ["aa"], 1_000)
@example("mix " * 100, ["mix"], 5)
@given(PIECES, SOUGHT, st.integers(0, 200))
def test_words_are_highlighted_as_in_the_whole_text(
    text: str, sought: list[str], reach: int
) -> None:
    read = parse(" ".join(sought))
    every = highlights(text, read)
    first = first_highlights(text, read, reach=reach)
    last = every[0][0] + reach if every else 0
    assert _within(first, last) == _within(every, last)


def _within(spans: Spans, last: int) -> list[tuple[int, int]]:
    """Return the spans up to an offset: beyond it they may be missing or cut."""
    return [(start, min(end, last)) for start, end in spans if start <= last]


def test_a_text_without_a_match_is_shown_from_its_beginning() -> None:
    shown = text_snippet(document(1, "x" * 1000), parse("from:ivy"))
    assert (shown.start, len(shown.text), shown.highlights) == (0, MAX_LENGTH, ())


def test_only_matching_file_names_are_shown() -> None:
    files = document(1, "text", attachments=("cue-sheet_v03.pdf", "other.mov"))
    (name,) = file_snippets(files, parse("v03 text"))
    assert name.text == "cue-sheet_v03.pdf"
    assert name.highlights == (Span(start=10, end=13),)
    (name,) = file_snippets(files, parse("file:other"))
    assert name.text == "other.mov"


def test_no_accent_or_skin_is_cut_from_its_character() -> None:
    for sign in ("e\u0301", "👍🏽", "か\u3099", "ก\u0e48", "e\u0301\u0323"):
        for shift, spans in product(range(4), ((), ((400, 401),))):
            text = "x" * shift + sign * 300
            shown = snippet(text, spans)
            end = shown.start + len(shown.text)
            assert not continues(text[shown.start])
            assert not continues(text[end])
            assert MAX_LENGTH - len(sign) < len(shown.text) <= MAX_LENGTH


@given(texts, st.lists(st.tuples(st.integers(0, 600), st.integers(1, 80)), max_size=5))
def test_a_snippet_is_a_part_of_its_text_with_spans_inside(
    text: str, places: list[tuple[int, int]]
) -> None:
    text *= 20
    spans = sorted(
        (start, min(start + length, len(text)))
        for start, length in places
        if start < len(text)
    )
    shown = snippet(text, tuple(spans))
    assert text[shown.start :].startswith(shown.text)
    assert len(shown.text) <= MAX_LENGTH
    assert bool(shown.highlights) is bool(spans)
    assert all(0 <= s.start < s.end <= len(shown.text) for s in shown.highlights)
