"""Texts in segments: mentions, links and found words; the text stays whole."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clp_portal.views.text import Segment, SegmentKind, highlighted, segments_of


@dataclass(frozen=True)
class Mark:
    start: int
    end: int
    me: bool = False


PLAIN, MENTION = SegmentKind.PLAIN, SegmentKind.MENTION
OF_ME, LINK, FOUND = SegmentKind.MENTION_OF_ME, SegmentKind.LINK, SegmentKind.FOUND


def test_a_text_without_marks_is_one_segment() -> None:
    assert segments_of("Hello <b>") == (Segment("Hello <b>"),)
    assert segments_of("") == ()


def test_mentions_are_cut_out() -> None:
    found = segments_of("@Nia Roux and @Nat", [Mark(14, 18, me=True), Mark(0, 9)])
    assert found == (
        Segment("@Nia Roux", MENTION),
        Segment(" and ", PLAIN),
        Segment("@Nat", OF_ME),
    )


def test_marks_that_do_not_fit_are_left_out() -> None:
    found = segments_of("@Nat", [Mark(0, 4), Mark(2, 3), Mark(4, 9)])
    assert found == (Segment("@Nat", MENTION),)


@pytest.mark.parametrize(
    ("text", "link"),
    [
        ("see https://a.example/x?y=1#z.", "https://a.example/x?y=1#z"),
        ("(http://a.example)", "http://a.example"),
        ("字幕はhttps://a.example/1。明日", "https://a.example/1"),
        ("HTTPS://A.example", "HTTPS://A.example"),
        ('<a href="https://a.example">', "https://a.example"),
    ],
)
def test_addresses_become_links(text: str, link: str) -> None:
    assert [s.text for s in segments_of(text) if s.kind is LINK] == [link]


@pytest.mark.parametrize(
    "text", ["javascript:alert(1)", "data:text/html,x", "www.example", "ftp://a"]
)
def test_nothing_else_becomes_a_link(text: str) -> None:
    assert [s.kind for s in segments_of(text)] == [PLAIN]


def test_found_words_are_marked() -> None:
    assert highlighted("a zebra line", [Mark(2, 7)]) == (
        Segment("a "),
        Segment("zebra", FOUND),
        Segment(" line"),
    )


@given(
    st.text(alphabet="ab @.:/htps\n字", max_size=60),
    st.lists(st.tuples(st.integers(0, 60), st.integers(1, 9)), max_size=5),
)
def test_the_segments_joined_are_the_text(
    text: str, spans: list[tuple[int, int]]
) -> None:
    marks = [Mark(start, start + length) for start, length in spans]
    assert "".join(segment.text for segment in segments_of(text, marks)) == text
