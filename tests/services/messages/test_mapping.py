"""Rows as readers see them."""

from datetime import timedelta

from clp_messages.mapping import outcomes_stored, shown_message, stored_outcomes
from clp_messages.tables import AttachmentRow, MessageRow
from tests.services.messages.scenario import NORTH, START, Stage


def test_a_tombstone_tells_nothing_whatever_its_row_holds() -> None:
    row = MessageRow(
        id="m" * 32,
        channel=NORTH,
        project="p1",
        number=7,
        revision=2,
        author="nat",
        author_name="Nat Moreau",
        author_side="external",
        text="planted",
        posted_at=START,
        edited_at=None,
        deleted_at=START + timedelta(minutes=1),
    )
    file = AttachmentRow(id="f" * 32, name="planted.pdf", size=1)
    shown = shown_message(row, [file])
    assert (shown.text, shown.attachments, shown.deleted) == ("", (), True)
    assert "planted" not in repr(shown)


def test_outcomes_survive_being_stored(stage: Stage) -> None:
    text = "@Nat Moreau @Nobody @ivy@studio.example"
    mentions = stage.post("ivy", NORTH, text).mentions
    assert outcomes_stored(stored_outcomes(mentions)) == mentions
