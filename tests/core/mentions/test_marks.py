"""Rule 45: a reader is shown the marks they could make, or that mean them."""

import pytest

from clp_core.mentions import Span, StoredMark, visible_marks
from clp_core.people import Person
from tests.core.sample_world import IVY, NAT, NIA, SAM

MARKS = tuple(
    StoredMark(Span(10 * number, 10 * number + 4), person.id, person.partner)
    for number, person in enumerate([IVY, NAT, NIA, SAM])
)


@pytest.mark.parametrize(
    ("reader", "people"),
    [
        (IVY, ["ivy", "nat", "nia", "sam"]),
        (NAT, ["ivy", "nat", "nia"]),
        (SAM, ["ivy", "sam"]),
    ],
)
def test_marks_of_another_partner_are_hidden(reader: Person, people: list[str]) -> None:
    assert [mark.person for mark in visible_marks(MARKS, reader)] == people


def test_a_mark_of_oneself_is_shown_whatever_the_partner_was() -> None:
    mark = StoredMark(Span(0, 4), NAT.id, SAM.partner)

    assert visible_marks([mark], NAT) == (mark,)
    assert visible_marks([mark], NIA) == ()
