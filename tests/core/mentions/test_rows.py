"""Every row of ``rows.toml``."""

from collections import Counter

import pytest

from clp_core.mentions import lookup_keys_in, resolve_mentions
from clp_core.mentions.lookup_keys import address_key, name_key
from tests.core.mentions.table import Row, directory, rows, written
from tests.core.sample_world import P1

ALL = [pytest.param(row, id=f"{row.group}: {row.reason}") for row in rows()]


@pytest.mark.parametrize("row", ALL)
def test_the_handles_of_a_text_are_what_the_table_says(row: Row) -> None:
    found = resolve_mentions(
        row.text,
        author=row.author,
        channel=row.channel,
        project=P1,
        owners=directory().values(),
    )

    assert tuple(map(written, found.outcomes)) == row.expected
    assert all(
        o.handle == row.text[o.span.start + 1 : o.span.end] for o in found.outcomes
    )


@pytest.mark.parametrize("row", ALL)
def test_the_owners_of_the_keys_are_all_that_is_needed(row: Row) -> None:
    keys = lookup_keys_in(row.text)
    owners = [
        person
        for person in directory().values()
        if name_key(person.name) in keys or address_key(person.email) in keys
    ]

    found = resolve_mentions(
        row.text, author=row.author, channel=row.channel, project=P1, owners=owners
    )

    assert tuple(map(written, found.outcomes)) == row.expected


def test_no_row_is_there_twice_and_none_without_a_reason() -> None:
    counts = Counter((row.text, row.author, row.channel) for row in rows())

    assert len(rows()) >= 400
    assert [text for text, times in counts.items() if times > 1] == []
    assert all(row.reason for row in rows())
