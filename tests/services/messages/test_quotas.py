"""What a person and a channel bring a day is bounded, and tells nobody of another."""

from collections.abc import Callable
from dataclasses import replace

import eventlet
import pytest
from sqlalchemy import select

from clp_contracts.errors import Refused
from clp_core.attachments import PUBLISHED_ATTACHMENTS
from clp_messages.tables import AttachmentRow, UploadTallyRow
from clp_messages.use_cases import quotas
from tests.services.messages.scenario import NORTH, PDF, SOUTH, Stage, refusal

SPENT = "attachment.quota_spent"
SIZE = len(PDF)


@pytest.fixture
def narrow(stage: Stage) -> Callable[..., Stage]:
    """The stage with some limits lowered."""

    def with_limits(**limits: int) -> Stage:
        policy = replace(PUBLISHED_ATTACHMENTS, **limits)  # type: ignore[arg-type]
        stage.parts = replace(stage.parts, attachments=policy)
        return stage

    return with_limits


def tallies(stage: Stage) -> dict[str, tuple[int, int]]:
    with stage.parts.database.reading() as session:
        rows = session.scalars(select(UploadTallyRow))
        return {row.name: (row.files, row.bytes) for row in rows}


def test_a_person_brings_so_many_files_a_day(narrow: Callable[..., Stage]) -> None:
    stage = narrow(files_a_day_per_person=2)
    stage.upload("ivy", NORTH)
    stage.upload("ivy", SOUTH)
    assert refusal(lambda: stage.upload("ivy", NORTH)) == SPENT
    assert len(stage.files_kept()) == 2
    stage.upload("nat", NORTH)
    stage.wait(days=1)
    stage.upload("ivy", NORTH)


def test_a_channel_takes_so_many_files_a_day(narrow: Callable[..., Stage]) -> None:
    stage = narrow(files_a_day_per_channel=2)
    stage.upload("nat", NORTH)
    stage.upload("nia", NORTH)
    assert refusal(lambda: stage.upload("ivy", NORTH)) == SPENT
    # What North's people did is nothing to South.
    stage.upload("sam", SOUTH)
    stage.upload("ivy", SOUTH)


@pytest.mark.parametrize("holder", ["person", "channel"])
def test_a_day_has_room_for_so_many_bytes(
    narrow: Callable[..., Stage], holder: str
) -> None:
    stage = narrow(**{f"bytes_a_day_per_{holder}": 2 * SIZE + 1})
    stage.upload("nat", NORTH)
    stage.upload("nat", NORTH)
    assert refusal(lambda: stage.upload("nat", NORTH)) == SPENT


def test_a_file_of_unknown_size_needs_room_for_the_largest(
    narrow: Callable[..., Stage],
) -> None:
    stage = narrow(max_bytes=100, bytes_a_day_per_person=100 + SIZE)
    stage.upload("nat", NORTH, declared=False)
    assert tallies(stage) == {"nat": (1, SIZE), NORTH: (1, SIZE)}
    stage.upload("nat", NORTH, declared=False)
    assert refusal(lambda: stage.upload("nat", NORTH, declared=False)) == SPENT
    stage.upload("nat", NORTH)


def test_a_refusal_before_the_body_leaves_no_row(narrow: Callable[..., Stage]) -> None:
    stage = narrow(files_a_day_per_channel=1)
    stage.upload("nat", NORTH)
    before = tallies(stage)
    assert refusal(lambda: stage.upload("nia", NORTH)) == SPENT
    assert tallies(stage) == before
    with stage.parts.database.reading() as session:
        assert len(session.scalars(select(AttachmentRow)).all()) == 1


def test_a_file_that_was_not_kept_costs_nothing(stage: Stage) -> None:
    for body, declared in ((b"MZ\x90\x00" * 2000, True), (b"", False)):
        with pytest.raises(Refused):
            stage.upload("nat", NORTH, "a.pdf", body, declared=declared)
    assert set(tallies(stage).values()) == {(0, 0)}


def test_uploads_side_by_side_do_not_pass_the_limit(
    narrow: Callable[..., Stage],
) -> None:
    stage = narrow(files_a_day_per_channel=3)

    def told(person: str) -> str:
        try:
            stage.upload(person, NORTH)
        except Refused as refused:
            return refused.code
        return "kept"

    people = ["ivy", "nat", "nia", "ivy", "nat", "nia", "ivy", "nat"]
    answers = list(eventlet.GreenPool().imap(told, people))
    assert sorted(answers) == [SPENT] * 5 + ["kept"] * 3


def test_days_that_are_over_are_forgotten(stage: Stage) -> None:
    stage.upload("nat", NORTH)
    quotas.forget_old_tallies(parts=stage.parts)
    assert tallies(stage) != {}
    stage.wait(days=3)
    quotas.forget_old_tallies(parts=stage.parts)
    assert tallies(stage) == {}
