"""The query language: filters, plain words, and the few refusals."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clp_contracts.errors import Refused
from clp_search.highlighting import VerifiedHit
from clp_search.query import (
    DATE_UNREADABLE,
    EXCLUSION_EMPTY,
    MAX_KEYWORDS,
    MAX_NORMALIZED_LENGTH,
    MAX_QUERY_LENGTH,
    NOTHING_TO_FIND,
    PREFIX_TOO_SHORT,
    TOO_MANY,
    parse,
)
from tests.services.search.scenario import START, document

TEXT = "The final mix of Night Train is ready, see cue-sheet"
MESSAGE = document(
    1, TEXT, author="nat", author_name="Nat Moreau", attachments=("Cue_Sheet v3.PDF",)
)


@pytest.mark.parametrize(
    ("query", "finds"),
    [
        ("final mix", True),
        ("MIX final", True),
        ("final draft", False),
        ('"final mix"', True),
        ('"mix final"', False),
        ("“final mix” ready", True),
        ("„final mix“", True),
        ("”mix final”", False),
        ("»mix final«", False),
        ("›mix final›", False),
        ("｢mix final｣", False),
        ("〝mix final〟", False),
        ("»mix final", True),
        ("«final mix»", True),
        ("「final mix」", True),
        ('"final mix', True),
        ('"final draft', False),
        ("fin*", True),
        ("trai*", True),
        ("rain*", False),
        ("-draft final", True),
        ("-mix final", False),
        ('-"mix final" final', True),
        ('-"final mix" final', False),
        ("-draft", True),
        ("from:nat", True),
        ("FROM:Nat", True),
        ("from:@nat", True),
        ("sender:moreau", True),
        ('author:"Nat Moreau"', True),
        ('from:"Moreau Nat"', False),
        ("from:mor*", True),
        ("from:ivy", False),
        ("-from:ivy", True),
        ("-from:nat", False),
        ("has:attachment", True),
        ("has:file", True),
        ("-has:attachment", False),
        ("has:attachment -has:attachment", False),
        ("file:cue", True),
        ("filename:sheet_v3", True),
        ("file:ready", False),
        ("file:pd*", True),
        ("-file:cue", False),
        ("v3.pdf", True),
        ("on:2026-11-02", True),
        ("on:2026-11", True),
        ("on:2026", True),
        ("on:2026/11/02", True),
        ("on:2026\u201111\u201102", True),
        ("on:2026\u221211\u201302", True),
        ("on:2026-11-01", False),
        ("on:2025", False),
        ("before:2026-11-03", True),
        ("before:2026-11-02", False),
        ("before:2027", True),
        ("after:2026-11-01", True),
        ("after:2026-11-02", False),
        ("after:2026-12", False),
        ("after:2026-10 before:2026-12 final", True),
        ("before:2026-11-03 before:2026-11-01", False),
    ],
)
def test_a_query_filters_as_written(query: str, *, finds: bool) -> None:
    assert VerifiedHit(MESSAGE).matches_query(parse(query)) is finds


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("AND OR NOT", "not this and that or those"),
        ("from: the", "the letter from home"),
        ("channel_id:2", "see channel_id:2"),
        ("partner:south", "partner: South"),
        ("has:link", "it has: link"),
        ("final before:soon", "the final is before: soon"),
        ("on:2026-02-30", "on: 2026-02-30"),
        ("has:", "it has"),
        ("-before:2026", "final"),
        ("--draft", "draft"),
        ("(launch AND", "launch and land"),
        ("*aunch", "aunch"),
        ("lau*ch", "lau, ch"),
        ('5"x7"', '5" x7'),
        ("launch^99999999999999999999", "launch 99999999999999999999"),
        ("/launch.*/", "launch"),
        ("{launch TO mix]", "launch to mix"),
    ],
)
def test_odd_syntax_is_parsed_as_plain_words(query: str, text: str) -> None:
    assert VerifiedHit(document(1, text)).matches_query(parse(query))
    if query[0] != "-" or query[1] == "-":
        assert not VerifiedHit(document(1, "something else")).matches_query(
            parse(query)
        )


@pytest.mark.parametrize(
    ("query", "note"),
    [
        ("final -", EXCLUSION_EMPTY),
        ("before:yesterday final", DATE_UNREADABLE),
        ("on:2026-02-30", DATE_UNREADABLE),
        ("on:9999-12-31", DATE_UNREADABLE),
        ("on:0000", DATE_UNREADABLE),
        ("f*", PREFIX_TOO_SHORT),
        ("???", NOTHING_TO_FIND),
        ("*", NOTHING_TO_FIND),
        ('""', NOTHING_TO_FIND),
        (" ".join(f"w{n}" for n in range(MAX_KEYWORDS + 1)), TOO_MANY),
        ("\ufdfa" * MAX_QUERY_LENGTH, TOO_MANY),
    ],
)
def test_what_was_not_used_as_typed_has_a_note(query: str, note: str) -> None:
    assert note in parse(query).notes


@pytest.mark.parametrize("query", ["final", "字*", "final ???", "launch " * 60, "S*t"])
def test_an_ordinary_query_has_no_notes(query: str) -> None:
    assert parse(query).notes == ()


def test_a_query_without_keywords_matches_nothing() -> None:
    assert not parse("???")
    assert not VerifiedHit(MESSAGE).matches_query(parse("???"))


@pytest.mark.parametrize("query", ["", " ", "\n\t", "\u3000"])
def test_an_empty_query_is_refused(query: str) -> None:
    with pytest.raises(Refused) as refusal:
        parse(query)
    assert refusal.value.code == "query.empty"


def test_an_over_long_query_is_refused() -> None:
    assert parse("x" * MAX_QUERY_LENGTH)
    with pytest.raises(Refused) as refusal:
        parse("x" * (MAX_QUERY_LENGTH + 1))
    assert refusal.value.code == "query.too_long"


def test_characters_that_expand_are_bounded_by_their_normalized_length() -> None:
    (clause,) = parse("\ufdfa" * MAX_QUERY_LENGTH).clauses
    assert all(len(path) <= MAX_NORMALIZED_LENGTH for path in clause.keyword.paths)
    assert parse("\ufdfa" * 50).notes == ()
    assert parse("㍿" * (MAX_QUERY_LENGTH // 2)).notes == ()


def test_a_lone_surrogate_is_refused() -> None:
    with pytest.raises(Refused) as refusal:
        parse("x\ud800")
    assert refusal.value.code == "text.malformed"


def test_a_period_holds_its_first_moment_and_not_the_next_ones() -> None:
    first = datetime(2026, 11, 2, tzinfo=UTC)
    last = first + timedelta(days=1) - timedelta(microseconds=1)
    on = parse("on:2026-11-02")
    for moment, inside in (
        (first, True),
        (last, True),
        (last + timedelta(microseconds=1), False),
    ):
        assert (
            VerifiedHit(document(1, "x", posted_at=moment)).matches_query(on) is inside
        )
    assert parse("on:2026-12").until == datetime(2027, 1, 1, tzinfo=UTC)
    assert first < START


syntax = st.lists(
    st.sampled_from(
        [*"-*\"“”„«»「」:#@(){}[]^~?!&|\\/+.,'’ ", "from:", "has:", "before:", "on:2026",
         "file:", "AND", "OR", "NOT", "final", "字幕", "\x00", "\u200b", "İ", "👍🏽", "ﷺ"]
    ),
    max_size=40,
).map("".join)  # fmt: skip


@given(st.one_of(syntax, st.text(max_size=MAX_QUERY_LENGTH)))
def test_nothing_a_person_can_type_is_an_error(query: str) -> None:
    with suppress(Refused):
        parsed = parse(query)
        assert len(parsed.clauses) <= MAX_KEYWORDS
        VerifiedHit(MESSAGE).matches_query(parsed)


@given(st.text(min_size=1, max_size=MAX_QUERY_LENGTH))
def test_only_emptiness_is_refused(query: str) -> None:
    if query.strip():
        parse(query)
