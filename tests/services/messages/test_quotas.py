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
from tests.services.messages.scenario import NORTH, PDF, SOUTH, Scenario, refusal

SPENT = "attachment.quota_spent"
SIZE = len(PDF)


@pytest.fixture
def narrow(scenario: Scenario) -> Callable[..., Scenario]:
    """The stage with some limits lowered."""

    def with_limits(**limits: int) -> Scenario:
        policy = replace(PUBLISHED_ATTACHMENTS, **limits)  # type: ignore[arg-type]
        scenario.deps = replace(scenario.deps, attachments=policy)
        return scenario

    return with_limits


def tallies(scenario: Scenario) -> dict[str, tuple[int, int]]:
    with scenario.deps.database.reading() as session:
        rows = session.scalars(select(UploadTallyRow))
        return {row.name: (row.files, row.bytes) for row in rows}


def test_a_person_uploads_at_most_so_many_files_a_day(
    narrow: Callable[..., Scenario],
) -> None:
    scenario = narrow(files_a_day_per_person=2)
    scenario.upload("ivy", NORTH)
    scenario.upload("ivy", SOUTH)
    assert refusal(lambda: scenario.upload("ivy", NORTH)) == SPENT
    assert len(scenario.files_kept()) == 2
    scenario.upload("nat", NORTH)
    scenario.wait(days=1)
    scenario.upload("ivy", NORTH)


def test_a_channel_takes_at_most_so_many_files_a_day(
    narrow: Callable[..., Scenario],
) -> None:
    scenario = narrow(files_a_day_per_channel=2)
    scenario.upload("nat", NORTH)
    scenario.upload("nia", NORTH)
    assert refusal(lambda: scenario.upload("ivy", NORTH)) == SPENT
    # What North's people did is nothing to South.
    scenario.upload("sam", SOUTH)
    scenario.upload("ivy", SOUTH)


@pytest.mark.parametrize("holder", ["person", "channel"])
def test_a_day_takes_at_most_so_many_bytes(
    narrow: Callable[..., Scenario], holder: str
) -> None:
    scenario = narrow(**{f"bytes_a_day_per_{holder}": 2 * SIZE + 1})
    scenario.upload("nat", NORTH)
    scenario.upload("nat", NORTH)
    assert refusal(lambda: scenario.upload("nat", NORTH)) == SPENT


def test_a_file_of_unknown_size_reserves_the_maximum(
    narrow: Callable[..., Scenario],
) -> None:
    scenario = narrow(max_bytes=100, bytes_a_day_per_person=100 + SIZE)
    scenario.upload("nat", NORTH, declared=False)
    assert tallies(scenario) == {"nat": (1, SIZE), NORTH: (1, SIZE)}
    scenario.upload("nat", NORTH, declared=False)
    assert refusal(lambda: scenario.upload("nat", NORTH, declared=False)) == SPENT
    scenario.upload("nat", NORTH)


def test_a_refusal_before_the_body_leaves_no_row(
    narrow: Callable[..., Scenario],
) -> None:
    scenario = narrow(files_a_day_per_channel=1)
    scenario.upload("nat", NORTH)
    before = tallies(scenario)
    assert refusal(lambda: scenario.upload("nia", NORTH)) == SPENT
    assert tallies(scenario) == before
    with scenario.deps.database.reading() as session:
        assert len(session.scalars(select(AttachmentRow)).all()) == 1


def test_a_file_that_was_not_kept_costs_nothing(scenario: Scenario) -> None:
    for body, declared in ((b"MZ\x90\x00" * 2000, True), (b"", False)):
        with pytest.raises(Refused):
            scenario.upload("nat", NORTH, "a.pdf", body, declared=declared)
    assert set(tallies(scenario).values()) == {(0, 0)}


def test_uploads_side_by_side_do_not_pass_the_limit(
    narrow: Callable[..., Scenario],
) -> None:
    scenario = narrow(files_a_day_per_channel=3)

    def outcome(person: str) -> str:
        try:
            scenario.upload(person, NORTH)
        except Refused as refused:
            return refused.code
        return "kept"

    people = ["ivy", "nat", "nia", "ivy", "nat", "nia", "ivy", "nat"]
    outcomes = list(eventlet.GreenPool().imap(outcome, people))
    assert sorted(outcomes) == [SPENT] * 5 + ["kept"] * 3


def test_tallies_of_past_days_are_deleted(scenario: Scenario) -> None:
    scenario.upload("nat", NORTH)
    quotas.delete_old_tallies(deps=scenario.deps)
    assert tallies(scenario) != {}
    scenario.wait(days=3)
    quotas.delete_old_tallies(deps=scenario.deps)
    assert tallies(scenario) == {}
