"""Every combination of facts, judged by the core and by the table: no difference."""

from collections import Counter
from collections.abc import Iterator
from itertools import product

import pytest

from clp_core.routing import explain, recipients_of
from clp_core.visibility import channels_of, judge_reading, may_post, may_read
from tests.core.enumeration.table import (
    ACCESS,
    CHANNELS,
    EMPLOYERS,
    Somebody,
    Telling,
    allowed,
    expected_trigger,
)
from tests.core.enumeration.translation import (
    PROJECT,
    author_of,
    channel_of,
    facts_of,
    policy_of,
)

PEOPLE = [
    Somebody(employer=employer, access=access)
    for employer, access in product(EMPLOYERS, ACCESS)
]
ROBOT = Somebody(employer="robot")
# Whether an author still has access tells in nothing but their own row.
AUTHORS = [one for one in PEOPLE if one.access in ("has access", "has left")]


def every_pair() -> Iterator[tuple[Somebody, Somebody, str]]:
    for author, person in product([*AUTHORS, ROBOT], PEOPLE):
        yield author, person, "is not"
    for author in PEOPLE:
        yield author, author, "is the author"


def every_telling() -> Iterator[Telling]:
    for (author, person, own), channel, follows, mentions, policy, occasion in product(
        every_pair(),
        CHANNELS,
        ["follows", "does not"],
        ["nobody", "the person", "another", "both"],
        ["replaces", "adds"],
        ["posted", "edited"],
    ):
        yield Telling(
            author=author, channel=channel, person=person, own=own,
            follows=follows, mentions=mentions, policy=policy, occasion=occasion,
        )  # fmt: skip


def test_reading_and_posting_are_what_section_2_says() -> None:
    differences = []
    for somebody, word in product([*PEOPLE, ROBOT], CHANNELS):
        who, channel = author_of(somebody, "somebody"), channel_of(word)
        words = allowed(somebody, word)
        expected = ("read" in words, "post" in words, "read" in words)
        judged = (
            bool(may_read(who, channel, PROJECT)),
            bool(may_post(who, channel, PROJECT)),
            bool(*judge_reading(who, [channel], PROJECT)),
        )
        if judged != expected:
            differences.append((somebody, word, judged))
    assert differences == []


def test_the_channels_enumerated_are_those_of_the_project_and_two_strange_ones() -> (
    None
):
    ours = {channel_of(word) for word in CHANNELS}
    assert ours == {*channels_of(PROJECT), channel_of("west"), channel_of("elsewhere")}


@pytest.mark.property
def test_telling_and_explaining_are_what_section_6_says() -> None:
    differences = []
    outcomes = Counter[str]()
    for case in every_telling():
        person, facts = facts_of(case)
        policy = policy_of(case)
        expected = expected_trigger(case)
        outcomes[expected] += 1
        routed = {r.person.id: r.trigger.value for r in recipients_of(facts, policy)}
        explained = explain(facts, policy, include=[person])[person.id]
        results = (
            routed.get(person.id, "nothing"),
            explained.trigger.value if explained.trigger else "nothing",
        )
        if results != (expected, expected):
            differences.append((case, expected, results))
    assert differences == []
    assert sum(outcomes.values()) == (11 * 30 + 30) * 6 * 2 * 4 * 2 * 2
    # The enumeration saw every trigger happen, not only silence.
    assert set(outcomes) == {
        "nothing", "mention", "new_broadcast", "direct_from_partner", "direct_to_partner",
    }  # fmt: skip
