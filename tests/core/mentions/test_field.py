"""Every row of ``field.json`` about mentions and autocomplete."""

import pytest

from clp_core.mentions import (
    Outcome,
    lookup_keys_in,
    matches_prefix,
    name_key,
    resolve_mentions,
)
from tests.cases.loading import FieldCase, field_cases
from tests.core.sample_world import BROADCAST, IVY, P1, person

# The people mentioned by each text; by number in the row's list.
MENTIONED: dict[str, list[int]] = {
    "men-01": [0],
    "men-02": [0],
    "men-05": [0],
    "men-10": [],
    "men-20": [0],
    "men-21": [0],
    "men-23": [0],
    "men-24": [0],
    "men-30": [0],
    "men-32": [0],
    "men-33": [0],
    "men-40": [0],
    "men-41": [0],
    "men-42": [0],
}


@pytest.mark.parametrize("case", field_cases("mention"), ids=lambda case: case.id)
def test_the_people_a_text_mentions(case: FieldCase) -> None:
    people = [
        person(f"person{number}", name)
        for number, name in enumerate(case.input["people"])
    ]
    text = case.input["text"]
    keys = lookup_keys_in(text)
    owners = [person for person in people if name_key(person.name) in keys]

    found = resolve_mentions(
        text, author=IVY, channel=BROADCAST, project=P1, owners=owners
    )

    expected = [people[number] for number in MENTIONED[case.id]]
    assert [o.person for o in found.outcomes] == expected, case.why
    assert all(o.outcome is Outcome.MENTIONED for o in found.outcomes)


@pytest.mark.parametrize("case", field_cases("type-ahead"), ids=lambda case: case.id)
def test_the_people_autocomplete_offers(case: FieldCase) -> None:
    someone = person("someone", case.input["name"])

    assert matches_prefix(someone, case.input["typed"]) is case.wanted, case.why
