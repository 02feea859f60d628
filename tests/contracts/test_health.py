"""The table of signs: from when on a value is trouble, and what is said about it."""

import pytest

from clp_contracts.health import (
    FEED_WAITS,
    RELAY_REFUSES,
    SIGNS,
    Sign,
    SignValue,
    age_in_words,
    problems_of,
)


@pytest.mark.parametrize("sign", SIGNS.values(), ids=lambda sign: sign.alert)
def test_a_value_above_its_limit_is_a_problem_and_one_at_it_is_none(
    sign: Sign,
) -> None:
    at_limit = SignValue(metric=sign.metric, of="somebody", value=sign.limit)
    above = SignValue(metric=sign.metric, of="somebody", value=sign.limit + 1)
    assert list(problems_of([at_limit])) == []
    (problem,) = problems_of([above])
    assert problem.endswith(sign.action)
    assert "{" not in problem
    assert "somebody" in problem or sign.label == "service"


def test_a_problem_says_whom_how_long_and_the_last_refusal() -> None:
    values = [
        SignValue(metric=FEED_WAITS.metric, of="search", value=540),
        SignValue(
            metric=RELAY_REFUSES.metric,
            of="notifications",
            value=70,
            detail="it answered 535 at AUTH",
        ),
    ]
    reader, relay = problems_of(values)
    assert reader.startswith("search has not applied a change for 9 min. `clp-ops ")
    assert relay.startswith(
        "the SMTP relay has accepted no mail for 70 s (it answered 535 at AUTH). `"
    )


def test_a_sign_of_a_newer_service_is_left_alone() -> None:
    assert not list(problems_of([SignValue(metric="clp_moods", of="x", value=9)]))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7_200, "2 h"), (172_800, "2 days")],
)
def test_ages_are_told_in_words(seconds: float, words: str) -> None:
    assert age_in_words(seconds) == words
