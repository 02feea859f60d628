"""Rule 29 for the rows of ``field.json``; the table of names is in test_attachments."""

import pytest

from clp_core.file_names import safe_name
from tests.cases.loading import FieldCase, field_cases

SHOWN_AS = {
    "name-01": "cue sheet.csv",
    "name-03": "Mission: Impossible - cue sheet.pdf",
}


@pytest.mark.parametrize(
    "case", field_cases("attachment-name"), ids=lambda case: case.id
)
def test_a_name_people_send_is_shown_as(case: FieldCase) -> None:
    assert safe_name(case.input) == SHOWN_AS[case.id], case.why
