"""Processes that change the same row at the same time: one waits, none fails."""

import threading
from collections.abc import Callable
from typing import Final

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from clp_chassis.persistence.database import Database
from clp_contracts.transition_reasons import TransitionReason
from clp_notifications.states import MailMode
from clp_notifications.tables import MAIL_SETTINGS, SUPPRESSIONS
from clp_notifications.transitions import set_mode, suppress, turn_off_all_mails
from tests.support.sample_world import NOON
from tests.support.waiting import until

ADDRESS: Final = "nat@north.example"


def stop_address(session: Session) -> None:
    suppress(session, ADDRESS, mail="0" * 32, reason=TransitionReason.BOUNCED, at=NOON)


def unsubscribe(session: Session) -> None:
    set_mode(session, person="nat", project="p1", mode=MailMode.OFF, at=NOON)


def complain(session: Session) -> None:
    turn_off_all_mails(session, "nat", cause="complaint", at=NOON)


def waiting_for_locks(database: Database) -> int:
    with database.reading() as session:
        return (
            session.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")) or 0
        )


@pytest.mark.parametrize("change", [stop_address, unsubscribe, complain])
@pytest.mark.parametrize(
    "database", [pytest.param("postgres", marks=pytest.mark.broker)], indirect=True
)
def test_the_same_change_in_two_processes_is_made_once(
    database: Database, change: Callable[[Session], None]
) -> None:
    """As two readers of incoming mail, or one and a web page, may make it."""
    failures: list[Exception] = []

    def second() -> None:
        try:
            with database.writing() as session:
                change(session)
        except Exception as failure:  # noqa: BLE001 - judged below
            failures.append(failure)

    thread = threading.Thread(target=second)
    with database.writing() as session:
        change(session)
        session.flush()
        thread.start()
        until(lambda: waiting_for_locks(database))
    thread.join(10)
    assert failures == []
    with database.reading() as session:
        rows = [
            session.scalar(select(func.count()).select_from(table))
            for table in (SUPPRESSIONS, MAIL_SETTINGS)
        ]
    assert sorted(rows) == [0, 1]
