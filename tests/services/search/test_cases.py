"""The table of search cases, without an index and through one."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from clp_search.engine import Engine
from clp_search.highlighting import VerifiedHit, highlights
from clp_search.query import parse
from tests.cases.loading import search_cases
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
