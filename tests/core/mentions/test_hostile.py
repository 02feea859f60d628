"""Every mention row of the case file, against the people it speaks of."""

import pytest

from clp_core.mentions import (
    MentionOutcome,
    Mentions,
    Outcome,
    lookup_keys_in,
    matches_prefix,
    resolve_mentions,
)
from clp_core.people import Person
from tests.cases.loading import HostileCase, hostile_cases
from tests.core.sample_world import BROADCAST, EAST, P1, SOUTH, WITH_NORTH, person

DANA = person("dana", "Dana Kowalska")
INES = person("ines", "Ines Internal")
SELF = person("self", "Self")
STRASSE = person("strasse", "Straße")
VERA = person("vera", "Vera Vendorb", SOUTH)
FORMER = person("former", "Former Partner", EAST)
PEOPLE = [DANA, INES, SELF, STRASSE, VERA, FORMER]


def read(text: str, *extra: Person) -> Mentions:
    """As the portal reads it in a direct channel: keys, their owners, outcomes."""
    owners = [*PEOPLE, *extra] if lookup_keys_in(text) else []
    return resolve_mentions(
        text, author=SELF, channel=WITH_NORTH, project=P1, owners=owners
    )


def outcomes(found: Mentions) -> list[tuple[str, Outcome]]:
    return [(o.handle, o.outcome) for o in found.outcomes]


# What the file expects, in the words of the rules. A case that is not here is an error.
ONE = [("Dana Kowalska", Outcome.MENTIONED)]
EXPECTED: dict[str, list[tuple[str, Outcome]]] = {
    "mention-001": ONE,
    "mention-008": [],
    "mention-010": [],
    "mention-011": [],
    "mention-016": [*ONE, *[("Dana Kowalska", Outcome.DUPLICATE)] * 999],
    "mention-019": [("STRASSE", Outcome.MENTIONED), ("straße", Outcome.DUPLICATE)],
    "mention-021": [("Ｄａｎａ", Outcome.UNKNOWN)],  # part of a name is nobody's
    "mention-022": [("Dаna", Outcome.UNKNOWN)],
    "mention-024": [("\u200bDana Kowalska", Outcome.MENTIONED)],
    "mention-030": [("Vera", Outcome.UNKNOWN)],
    "mention-031": [("Former", Outcome.UNKNOWN)],
    "mention-033": [("Robot", Outcome.UNKNOWN)],
    "mention-034": [("Self", Outcome.SELF)],
    "mention-035": [("Ines Internal", Outcome.MENTIONED)],
    "mention-037": [],
    "mention-039": [],
    "mention-041": [("n" * 300, Outcome.UNKNOWN)],
    # A megabyte that opens one handle: a sign after a letter or a sign opens nothing.
    "mention-012": [("a", Outcome.UNKNOWN)],
    "mention-013": [("a@a.a", Outcome.UNKNOWN)],
    "mention-014": [(("a." * 100_000)[:-1], Outcome.UNKNOWN)],
}
# Told apart below, because one text and one list do not say it.
ELSEWHERE = {"mention-002", "mention-005", "mention-009", "mention-040"}


@pytest.mark.parametrize("case", hostile_cases("mention"), ids=lambda case: case.id)
def test_every_row_is_answered(case: HostileCase) -> None:
    if case.id in ELSEWHERE:
        return
    assert outcomes(read(case.value)) == EXPECTED[case.id], case.why


def case(id: str) -> str:
    return next(case.value for case in hostile_cases("mention") if case.id == id)


def test_an_address_mentions_its_owner() -> None:
    dana = Person(
        id=DANA.id, name=DANA.name, email="dana@partner.example", roles=DANA.roles
    )

    (found,) = resolve_mentions(
        case("mention-002"), author=SELF, channel=BROADCAST, project=P1, owners=[dana]
    ).outcomes

    assert found.person == dana
    assert found.handle == "dana@partner.example"


def test_two_people_of_one_name_are_asked_about_and_not_guessed() -> None:
    namesake = person("dana2", "Dana Kowalska")

    (found,) = read(case("mention-005"), namesake).outcomes

    assert found == MentionOutcome(
        found.span, "Dana Kowalska", Outcome.AMBIGUOUS, None, (namesake, DANA)
    )


def test_code_and_quotations_mention_nobody() -> None:
    # One line: the mark of a quotation does not stand at its start, so only code is.
    assert outcomes(read(case("mention-009"))) == ONE
    code, quotation = case("mention-009").split(" and ")
    assert outcomes(read(f"{code}\n{quotation}")) == []


def test_autocomplete_takes_wildcards_literally() -> None:
    typed = case("mention-040")

    assert not any(matches_prefix(someone, typed) for someone in PEOPLE)
    assert matches_prefix(person("odd", "a_% b"), typed)


@pytest.mark.parametrize("id", ["mention-030", "mention-031"])
def test_hidden_people_and_people_who_do_not_exist_get_one_answer(id: str) -> None:
    without = resolve_mentions(
        case(id), author=SELF, channel=WITH_NORTH, project=P1, owners=[]
    )

    assert read(case(id)) == without
