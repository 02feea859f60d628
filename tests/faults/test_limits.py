"""The limits of F1 are compared with the figures of a run."""

from typing import Any

import pytest

from tests.faults.limits import limits_of

GOOD: dict[str, Any] = {
    "acknowledged lost": 0,
    "notifications lost": 0,
    "duplicate mails": 20,
    "mails": 10_000,
    "cut after acceptance": 4,
    "kills": {"delivery": 1, "messages": 9},
    "outages": ["broker killed at 25%", "database killed at 35%"],
    "p99 answer s": 0.8,
    "longest call s": 9.9,
}


def passed(**changed: object) -> list[str]:
    limits = limits_of(GOOD | {k.replace("_", " "): v for k, v in changed.items()}, 1)
    return [limit.what.partition(" (")[0] for limit in limits if not limit.is_kept]


def test_a_good_run_keeps_every_limit() -> None:
    assert passed() == []


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"acknowledged_lost": 1}, ["acknowledged messages lost"]),
        ({"notifications_lost": 1}, ["notifications lost"]),
        # 4 cuts, a killed worker and one that the database left alone: 4 + 2 x 16
        ({"duplicate_mails": 37, "mails": 100_000}, ["mails twice"]),
        ({"duplicate_mails": 31}, ["share of mails twice"]),
        ({"p99_answer_s": 1.1}, ["p99 answer s"]),
        ({"longest_call_s": 10.1}, ["longest call s"]),
    ],
)
def test_an_exceeded_limit_is_named(
    changed: dict[str, object], what: list[str]
) -> None:
    assert passed(**changed) == what


def test_without_kills_only_cut_mails_may_be_duplicated() -> None:
    calm = {"kills": {}, "outages": [], "mails": 100_000}
    assert passed(**calm, duplicate_mails=4) == []
    assert passed(**calm, duplicate_mails=5) == ["mails twice"]


def test_timing_limits_are_marked_as_such() -> None:
    of_time = [limit.what for limit in limits_of(GOOD, 1) if limit.is_timing]
    assert of_time == ["p99 answer s", "longest call s"]
