"""The limits of mentions."""

import pytest

from clp_core.decisions import InvalidValue
from clp_core.mentions import PUBLISHED_MENTIONS, MentionPolicy


def test_the_published_limit_is_fifty_people() -> None:
    assert MentionPolicy() == PUBLISHED_MENTIONS
    assert MentionPolicy() == MentionPolicy(max_people=50, max_name_length=200)


@pytest.mark.parametrize("field", ["max_people", "max_name_length"])
def test_a_limit_below_one_is_refused_by_name(field: str) -> None:
    with pytest.raises(InvalidValue) as refusal:
        MentionPolicy(**{field: 0})

    assert str(refusal.value) == f"{field}: must be at least 1"
    assert getattr(MentionPolicy(**{field: 1}), field) == 1
