"""Sessions: hashed ids, idle and absolute end, ended for a person or at the provider."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from clp_chassis.persistence.database import Database, migrate
from clp_portal.auth.sessions import TOUCH_INTERVAL, SessionPolicy, Sessions

START = datetime(2026, 11, 30, 8, 0, tzinfo=UTC)


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> datetime:
        return self.at

    def advance(self, **time: float) -> None:
        self.at += timedelta(**time)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    url = f"sqlite:///{tmp_path}/portal.db"
    migrate(url, "clp_portal")
    database = Database(url)
    yield database
    database.close()


@pytest.fixture
def sessions(database: Database, clock: Clock) -> Sessions:
    return Sessions(database, clock, SessionPolicy())


def test_a_session_is_found_by_its_id_and_by_nothing_else(sessions: Sessions) -> None:
    session_id = sessions.create("nat")
    found = sessions.find(session_id)
    assert found is not None
    assert found.person == "nat"
    assert found.ends_at == START + timedelta(hours=20)
    assert sessions.find(found.key) is None
    assert sessions.find("") is None
    assert sessions.find("x" * 5000) is None


def test_the_id_is_stored_nowhere_and_has_256_bits(
    sessions: Sessions, database: Database
) -> None:
    session_id = sessions.create("nat")
    assert len(session_id) == 43
    with database.reading() as session:
        stored = session.execute(text("select * from sessions")).all()
    assert session_id not in repr(stored)


def test_two_sign_ins_have_two_ids(sessions: Sessions) -> None:
    assert sessions.create("nat") != sessions.create("nat")


def test_a_session_ends_when_it_is_idle(sessions: Sessions, clock: Clock) -> None:
    session_id = sessions.create("nat")
    clock.advance(hours=7, minutes=59)
    assert sessions.find(session_id) is not None
    clock.advance(hours=7, minutes=59)
    assert sessions.find(session_id) is not None
    clock.advance(hours=8)
    assert sessions.find(session_id) is None


def test_a_session_ends_however_busy_it_is(sessions: Sessions, clock: Clock) -> None:
    session_id = sessions.create("nat")
    for _ in range(19):
        clock.advance(hours=1)
        assert sessions.find(session_id) is not None
    clock.advance(hours=1)
    assert sessions.find(session_id) is None


def test_requests_in_quick_succession_write_nothing(
    sessions: Sessions, database: Database, clock: Clock
) -> None:
    session_id = sessions.create("nat")
    written: list[None] = []
    database.on_commit(lambda: written.append(None))
    clock.advance(seconds=TOUCH_INTERVAL.total_seconds() - 1)
    assert sessions.find(session_id) is not None
    assert not written
    clock.advance(seconds=1)
    assert sessions.find(session_id) is not None
    assert len(written) == 1


def test_one_session_is_ended(sessions: Sessions) -> None:
    kept, ended = sessions.create("nat"), sessions.create("nat")
    sessions.end(ended)
    assert sessions.find(ended) is None
    assert sessions.find(kept) is not None


def test_all_sessions_of_a_person_are_ended(sessions: Sessions) -> None:
    of_nat = [sessions.create("nat"), sessions.create("nat")]
    of_ivy = sessions.create("ivy")
    assert sessions.end_all("nat") == 2
    assert [sessions.find(one) for one in of_nat] == [None, None]
    assert sessions.find(of_ivy) is not None
    assert sessions.end_all("nat") == 0


def test_the_sessions_of_a_provider_session_are_ended(sessions: Sessions) -> None:
    ended = sessions.create("nat", provider_session="sid-1")
    kept = sessions.create("nat", provider_session="sid-2")
    assert sessions.end_provider_session("sid-1") == 1
    assert sessions.find(ended) is None
    assert sessions.find(kept) is not None


def test_sessions_that_are_over_are_swept(sessions: Sessions, clock: Clock) -> None:
    sessions.create("nat")
    clock.advance(hours=7)
    fresh = sessions.create("ivy")
    clock.advance(hours=1)
    assert sessions.count() == 2
    assert sessions.sweep() == 1
    assert sessions.count() == 1
    assert sessions.find(fresh) is not None
