"""T23: what one partner holds in the file store is bounded, and nothing to another."""

from collections import Counter
from dataclasses import replace
from functools import partial

import eventlet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from clp_chassis.persistence.database import Database
from clp_contracts.errors import CallFailed, Refused
from clp_core.attachments import PUBLISHED_ATTACHMENTS
from clp_messages.storage import FileStore
from clp_messages.tables import AttachmentRow, HeldBytesRow
from clp_messages.use_cases import uploads
from tests.services.messages.scenario import NORTH, PDF, SOUTH, Scenario, refusal

SPENT = "attachment.partner_quota_spent"
SIZE = len(PDF)
PROGRAM = b"MZ\x90\x00" * 2000


@pytest.fixture
def two_files(scenario: Scenario) -> Scenario:
    """A scenario in which each partner may hold two files."""
    return with_room_for(scenario, 2)


def with_room_for(scenario: Scenario, files: int) -> Scenario:
    policy = replace(PUBLISHED_ATTACHMENTS, bytes_held_per_partner=files * SIZE)
    scenario.deps = replace(scenario.deps, attachments=policy)
    return scenario


def held(database: Database) -> dict[str, int]:
    with database.reading() as session:
        rows = session.scalars(select(HeldBytesRow))
        return {row.partner: row.bytes for row in rows if row.bytes}


def require_agreement(database: Database) -> None:
    """Check that what is counted is the sum of the rows."""
    with database.reading() as session:
        rows = session.execute(
            select(AttachmentRow.partner, func.sum(AttachmentRow.size))
            .where(AttachmentRow.partner.is_not(None))
            .group_by(AttachmentRow.partner)
        )
        sums = {partner: size for partner, size in rows if size}
    assert held(database) == sums


def test_t23_a_partner_holds_at_most_so_many_bytes(two_files: Scenario) -> None:
    scenario = two_files
    scenario.upload("nat", NORTH)
    scenario.upload("nia", NORTH)
    for _ in range(2):
        assert refusal(lambda: scenario.upload("nat", NORTH)) == SPENT
        scenario.wait(days=1)
    assert held(scenario.deps.database) == {"north": 2 * SIZE}
    assert len(scenario.files_kept()) == 2


def test_the_refusal_names_the_limit(two_files: Scenario) -> None:
    for _ in range(2):
        two_files.upload("nat", NORTH)
    with pytest.raises(Refused) as refused:
        two_files.upload("nat", NORTH)
    assert refused.value.detail == {"max_bytes": 2 * SIZE}
    assert f"The limit is {2 * SIZE:,} bytes." in refused.value.sentence


def test_t23_a_full_partner_is_nothing_to_another_or_to_the_studio(
    two_files: Scenario,
) -> None:
    for _ in range(2):
        two_files.upload("nat", NORTH)
    for _ in range(2):
        two_files.upload("sam", SOUTH)
    for _ in range(5):
        two_files.upload("ivy", NORTH)
    assert held(two_files.deps.database) == {"north": 2 * SIZE, "south": 2 * SIZE}


def test_deleting_a_message_releases_its_files_at_once(two_files: Scenario) -> None:
    scenario = two_files
    files = tuple(scenario.upload("nat", NORTH) for _ in range(2))
    message = scenario.post("nat", NORTH, "two files", files=files)
    assert refusal(lambda: scenario.upload("nia", NORTH)) == SPENT
    scenario.delete("nat", message.id)
    assert scenario.files_kept() == []
    assert held(scenario.deps.database) == {}
    scenario.upload("nia", NORTH)


class FullStore:
    """A file store that cannot remove."""

    def remove(self, key: str) -> None:
        raise CallFailed(f"the file store: {len(key)}")


def test_the_sweep_releases_what_the_store_did_not_remove(two_files: Scenario) -> None:
    scenario = two_files
    file = scenario.upload("nat", NORTH)
    message = scenario.post("nat", NORTH, "one file", files=(file,))
    store: FileStore = scenario.deps.files
    scenario.deps = replace(scenario.deps, files=FullStore())  # type: ignore[arg-type]
    scenario.delete("nat", message.id)
    assert held(scenario.deps.database) == {"north": SIZE}
    scenario.deps = replace(scenario.deps, files=store)
    assert uploads.sweep_orphans(deps=scenario.deps) == 1
    assert held(scenario.deps.database) == {}
    assert scenario.files_kept() == []


def test_a_file_that_is_not_posted_or_not_kept_is_released(two_files: Scenario) -> None:
    scenario = two_files
    with pytest.raises(Refused):
        scenario.upload("nat", NORTH, "a.pdf", PROGRAM[: 2 * SIZE])
    assert held(scenario.deps.database) == {}
    scenario.upload("nat", NORTH)
    scenario.wait(hours=2)
    assert uploads.sweep_orphans(deps=scenario.deps) == 1
    assert held(scenario.deps.database) == {}


def test_a_file_of_unknown_size_reserves_the_largest(scenario: Scenario) -> None:
    policy = replace(
        PUBLISHED_ATTACHMENTS, max_bytes=100, bytes_held_per_partner=100 + SIZE
    )
    scenario.deps = replace(scenario.deps, attachments=policy)
    scenario.upload("nat", NORTH, declared=False)
    assert held(scenario.deps.database) == {"north": SIZE}
    scenario.upload("nat", NORTH, declared=False)
    assert refusal(lambda: scenario.upload("nat", NORTH, declared=False)) == SPENT
    require_agreement(scenario.deps.database)


def test_t23_uploads_side_by_side_do_not_pass_the_limit(scenario: Scenario) -> None:
    with_room_for(scenario, 3)

    def outcome(person: str) -> str:
        try:
            scenario.upload(person, SOUTH if person == "sam" else NORTH)
        except Refused as refused:
            return refused.code
        return f"kept for {person}"

    people = ["nat", "nia", "sam"] * 4
    outcomes = Counter(eventlet.GreenPool().imap(outcome, people))
    assert outcomes[SPENT] == 6
    assert outcomes["kept for nat"] + outcomes["kept for nia"] == 3
    assert outcomes["kept for sam"] == 3
    assert held(scenario.deps.database) == {"north": 3 * SIZE, "south": 3 * SIZE}
    require_agreement(scenario.deps.database)


STEPS = st.lists(
    st.sampled_from(["nat", "nia", "sam", "ivy", "post", "delete", "sweep", "broken"]),
    max_size=14,
)


@pytest.mark.property
@given(steps=STEPS)
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        # A busy machine may take long for any example.
        HealthCheck.too_slow,
    ],
)
def test_what_is_counted_is_what_is_held(scenario: Scenario, steps: list[str]) -> None:
    with_room_for(scenario, 3)
    waiting: list[tuple[str, str, str]] = []
    posted: list[tuple[str, str]] = []
    for step in steps:
        if step == "post" and waiting:
            person, channel, file = waiting.pop()
            message = scenario.post(person, channel, "file", files=(file,))
            posted.append((person, message.id))
        elif step == "delete" and posted:
            scenario.delete(*posted.pop())
        elif step == "sweep":
            scenario.wait(hours=2)
            waiting.clear()
            uploads.sweep_orphans(deps=scenario.deps)
        elif step == "broken":
            refusal(partial(scenario.upload, "nat", NORTH, "a.pdf", PROGRAM[:SIZE]))
        elif step in {"nat", "nia", "sam", "ivy"}:
            channel = SOUTH if step == "sam" else NORTH
            held_then = held(scenario.deps.database)
            partner = {"ivy": "", "sam": "south"}.get(step, "north")
            if held_then.get(partner, 0) < 3 * SIZE:
                waiting.append((step, channel, scenario.upload(step, channel)))
            else:
                assert refusal(partial(scenario.upload, step, channel)) == SPENT
        require_agreement(scenario.deps.database)
        assert max(held(scenario.deps.database).values(), default=0) <= 3 * SIZE
