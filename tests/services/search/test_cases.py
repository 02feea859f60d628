"""The table of search cases, without an index and through one."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from clp_search.engine import Document, Engine, SearchRequest
from clp_search.highlighting import VerifiedHit, highlights
from clp_search.query import parse
from clp_search.terms import query_plan
from tests.cases.loading import FieldCase, field_cases, search_cases
from tests.services.search.held_out import HELD_OUT
from tests.services.search.scenario import BROADCAST, apply_to, document, search_ids

CASES = [*search_cases(), *HELD_OUT]
MUST = [case for case in CASES if case["level"] == "must"]
NICE = [case for case in CASES if case["level"] == "nice"]


def _is_found(case: Mapping[str, Any]) -> bool:
    return VerifiedHit(document(1, case["text"])).matches_query(parse(case["query"]))


@pytest.mark.parametrize("case", MUST, ids=lambda case: case["id"])
def test_a_case_of_the_table_is_decided_as_listed(case: Mapping[str, Any]) -> None:
    assert _is_found(case) is case["match"]


def test_at_least_nine_tenths_of_the_nice_cases_are_decided_as_listed() -> None:
    wrong = [case["id"] for case in NICE if _is_found(case) is not case["match"]]
    assert len(wrong) <= len(NICE) / 10, wrong


@pytest.mark.parametrize("flushed", [False, True], ids=["in memory", "on disk"])
def test_the_index_decides_each_case_like_the_text_alone(
    engine: Engine, *, flushed: bool
) -> None:
    apply_to(engine, [document(n, case["text"]) for n, case in enumerate(CASES)])
    if flushed:
        engine.checkpoint()
    wrong = [
        case["id"]
        for n, case in enumerate(CASES)
        if (f"m{n}" in search_ids(engine, case["query"], [BROADCAST]))
        is not _is_found(case)
    ]
    assert not wrong


@pytest.mark.parametrize(
    "case", [case for case in CASES if case["match"]], ids=lambda case: case["id"]
)
def test_every_match_is_highlighted_somewhere(case: Mapping[str, Any]) -> None:
    spans = highlights(case["text"], parse(case["query"]))
    assert spans
    assert all(0 <= start < end <= len(case["text"]) for start, end in spans)


def test_the_table_is_the_published_one() -> None:
    assert (Path(__file__).parents[2] / "cases" / "search.json").exists()
    assert len(search_cases()) >= 132


def _field_document(number: int, case: FieldCase) -> Document:
    author, _, name = case.input["author"].partition(" ")
    posted_at = case.input.get("posted_at", "2026-11-02T09:00:00+00:00")
    return document(
        number,
        case.input["text"],
        author=author,
        author_name=name.strip("()"),
        posted_at=datetime.fromisoformat(posted_at),
    )


@pytest.mark.parametrize("case", field_cases("search"), ids=lambda case: case.id)
def test_what_people_really_send_is_found(engine: Engine, case: FieldCase) -> None:
    """For a reader in Tokyo, as one of the rows says."""
    apply_to(engine, [_field_document(1, case)])
    query = parse(case.input["query"], ZoneInfo("Asia/Tokyo"))
    request = SearchRequest(
        project="p1", channels=frozenset({BROADCAST}), plan=query_plan(query)
    )
    assert bool(engine.search(request).documents) is case.wanted


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("ㅋㅋㅠㅠ 그래", "ㅋㅋ"),
        ("ㅋㅋㅠㅠ", "ㅠㅠ"),
        ("가ㄳ", "가"),
        ("ﾡﾡ", "ㄱㄱ"),
        ("เเม่", "แม่"),
        ("แม่", "เเม่"),
        ("ເເມ່", "ແມ່"),
        ("ന്‍ ണ്‍ ര്‍ ല്‍ ള്‍", '"ൻ ൺ ർ ൽ ൾ"'),
        ("great 🫨 work", "🫨"),
        ("mix done", "－cut mix"),
        ("final mix", "＂final mix＂"),
        ("final mix", "ｍｉｘ　ｆｒｏｍ：ivy"),
        ("final mix", "mix　ｏｎ：２０２６－１１"),
        ("final mix", "－has：attachment ｆｉｎ＊"),
        ("ᄏᄏ", "ㅋㅋ"),
        ("ㅇㅋ", "ᄋᄏ"),
        ("편집 ㅇㅇ", "ᄋᄋ"),
        ("new 🪪🪩 x", "🪩"),
        ("x\U0001fae9y", "\U0001fae9"),
        ("編集\U00033479確認", "\U00033479"),
        ("അവള്‍ വന്നു", "അവൾ"),
    ],
)
def test_signs_typed_in_another_way_are_found(
    engine: Engine, text: str, query: str
) -> None:
    apply_to(engine, [document(1, text)])
    assert search_ids(engine, query, [BROADCAST]) == ["m1"]
    assert highlights(text, parse(query))


def test_full_width_operators_exclude_and_complete(engine: Engine) -> None:
    apply_to(engine, [document(1, "training cut"), document(2, "training")])
    assert search_ids(engine, "train＊ －cut", [BROADCAST]) == ["m2"]
