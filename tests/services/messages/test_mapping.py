"""Rows as readers see them."""

from datetime import timedelta
from types import SimpleNamespace

from clp_messages.mapping import message_view, parse_outcomes, serialize_outcomes
from tests.services.messages.scenario import NORTH, START, Scenario


def test_a_tombstone_shows_nothing_of_its_row() -> None:
    row = SimpleNamespace(
        id="m" * 32,
        channel=NORTH,
        number=7,
        revision=2,
        author="nat",
        author_name="Nat Moreau",
        author_side="external",
        text="planted",
        files='[[0, "f", "planted.pdf", 1]]',
        posted_at=START,
        edited_at=None,
        deleted_at=START + timedelta(minutes=1),
    )
    shown = message_view(row)
    assert (shown.text, shown.attachments, shown.deleted) == ("", (), True)
    assert "planted" not in repr(shown)


def test_outcomes_survive_being_stored(scenario: Scenario) -> None:
    text = "@Nat Moreau @Nobody @ivy@studio.example"
    mentions = scenario.post("ivy", NORTH, text).mentions
    assert parse_outcomes(serialize_outcomes(mentions)) == mentions
