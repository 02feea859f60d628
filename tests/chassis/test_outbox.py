"""Committed changes: positions without gaps, a feed that misses nothing."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import MetaData, select
from sqlalchemy.orm import Session

from clp_chassis.events.outbox import Outbox
from clp_chassis.events.projections import Cursors, DatabaseProjection
from clp_chassis.persistence.database import Database
from clp_contracts.feed import Change, ReadChanges

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
METADATA = MetaData()
OUTBOX = Outbox(METADATA)
CURSORS = Cursors(METADATA)
FROM_START = ReadChanges(after=0)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(f"sqlite:///{tmp_path / 'x.db'}")
    METADATA.create_all(made.engine)
    yield made
    made.close()


def write(database: Database, *subjects: str) -> None:
    with database.writing() as session:
        for subject in subjects:
            OUTBOX.append(
                session,
                event_type="t.v1",
                subject=subject,
                project="p1",
                at=NOON,
                detail={"n": "1"},
            )


def sequence(database: Database) -> int:
    with database.writing() as session:
        return len(OUTBOX.assign_positions(session))


def feed(database: Database, after: int = 0) -> list[tuple[int, str]]:
    with database.reading() as session:
        batch = OUTBOX.after(session, ReadChanges(after=after))
    return [(change.position, change.subject) for change in batch.changes]


def test_a_change_is_in_the_feed_once_it_has_a_position(database: Database) -> None:
    write(database, "a", "b")
    assert feed(database) == []
    assert sequence(database) == 2
    assert feed(database) == [(1, "a"), (2, "b")]


def test_positions_go_on_without_gaps(database: Database) -> None:
    for batch in (["a"], ["b", "c"], ["d"]):
        write(database, *batch)
        sequence(database)
    assert feed(database, after=1) == [(2, "b"), (3, "c"), (4, "d")]


def test_a_rolled_back_transaction_leaves_no_change_and_no_gap(
    database: Database,
) -> None:
    def fail() -> None:
        with database.writing() as session:
            OUTBOX.append(
                session, event_type="t.v1", subject="lost", project="p1", at=NOON
            )
            raise RuntimeError

    write(database, "a")
    with pytest.raises(RuntimeError):
        fail()
    write(database, "b")
    sequence(database)
    assert feed(database) == [(1, "a"), (2, "b")]


def test_a_change_is_pending_until_it_is_published(database: Database) -> None:
    write(database, "a")
    sequence(database)
    with database.writing() as session:
        assert OUTBOX.pending(session) == 1
        waiting = OUTBOX.unpublished(session)
        OUTBOX.mark_published(session, tuple(c.position for c in waiting), NOON)
    with database.reading() as session:
        assert OUTBOX.pending(session) == 0
        assert OUTBOX.unpublished(session) == ()


def test_a_change_comes_back_as_it_was_written(database: Database) -> None:
    write(database, "a")
    sequence(database)
    with database.reading() as session:
        (change,) = OUTBOX.after(session, FROM_START).changes
    assert change == Change(
        position=1, type="t.v1", subject="a", project="p1", at=NOON, detail={"n": "1"}
    )


def test_listeners_are_called_after_commits_only(
    database: Database,
) -> None:
    handled: list[str] = []
    database.on_commit(lambda: handled.append("news"))
    write(database, "a")
    with pytest.raises(RuntimeError), database.writing():
        raise RuntimeError
    assert handled == ["news"]


# ---- projections


def change(position: int) -> Change:
    return Change(
        position=position,
        type="t.v1",
        subject=f"s{position}",
        project="p1",
        at=NOON,
        detail={},
    )


class Seen:
    """A projection that records what it was given."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.subjects: list[str] = []
        self.broken = False
        self.projection = DatabaseProjection(
            "reader",
            database=database,
            cursors=CURSORS,
            clock=lambda: NOON,
            prepare=lambda changes: [c.subject for c in changes],
            write=self._write,
        )

    def _write(
        self, _session: Session, changes: tuple[Change, ...], prepared: list[str]
    ) -> None:
        if self.broken:
            raise ValueError("cannot")
        assert {c.subject for c in changes} <= set(prepared)
        self.subjects += [c.subject for c in changes]


@pytest.fixture
def seen(database: Database) -> Seen:
    return Seen(database)


def test_a_reader_starts_at_the_beginning(seen: Seen) -> None:
    assert seen.projection.cursor() == 0


def test_effect_and_cursor_move_together(seen: Seen) -> None:
    seen.projection.apply((change(1), change(2)))
    assert (seen.subjects, seen.projection.cursor()) == (["s1", "s2"], 2)
    seen.broken = True
    with pytest.raises(ValueError, match="cannot"):
        seen.projection.apply((change(3),))
    assert seen.projection.cursor() == 2


def test_a_change_applied_already_is_left_out(seen: Seen) -> None:
    seen.projection.apply((change(1), change(2)))
    seen.projection.apply((change(2), change(3)))
    assert seen.subjects == ["s1", "s2", "s3"]


def test_a_dead_letter_holds_ids_only(seen: Seen) -> None:
    seen.projection.apply((change(1),))
    seen.projection.add_dead_letter(change(2), "ValueError: " + "x" * 5000)
    seen.projection.add_dead_letter(change(2), "again")
    assert seen.projection.cursor() == 2
    with seen.database.reading() as session:
        (row,) = session.execute(select(CURSORS.dead_letters)).all()
    assert (row.position, row.subject, len(row.error)) == (2, "s2", 2000)


def test_a_dead_letter_is_redriven_once_and_deleted(seen: Seen) -> None:
    seen.projection.add_dead_letter(change(1), "ValueError")
    seen.projection.apply((change(2),))

    seen.broken = True
    with pytest.raises(ValueError, match="cannot"):
        seen.projection.redrive(change(1))
    assert [row.position for row in seen.projection.dead_letters(0, 9)] == [1], (
        "still there"
    )
    seen.broken = False
    seen.projection.redrive(change(1))
    seen.projection.redrive(change(1))

    assert seen.subjects == ["s2", "s1"]
    assert (seen.projection.dead_letters(0, 9), seen.projection.cursor()) == ([], 2)
