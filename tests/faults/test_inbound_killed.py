"""F19: kill -9 of the reader of incoming mail: each mail is counted once."""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import func, select

from clp_chassis.persistence.database import Database, migrate
from clp_notifications.inbound.maildir import deliver_to_maildir
from clp_notifications.tables import Bounce, Suppression, TransitionRow
from tests.faults.conftest import seed_of_session
from tests.faults.fault_run import until
from tests.services.notifications.bounce_reports import report
from tests.services.notifications.harness import DeliveryHarness, inbound_in
from tests.support.sample_world import BROADCAST

pytestmark = pytest.mark.faults

MAILS = 200
KILLS = 8
FOLLOWERS = ("nat", "nia", "sam", "sol")
# Three quarters are soft; every fourth mail is one of these.
STATUSES = ("4.2.2", "4.4.7", "4.2.2", "5.0.0")


def reader(folder: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-W", "ignore", "-m", "tests.faults.inbound_reader"]
    return subprocess.Popen([*command, str(folder)])


def deliver_reports(harness: DeliveryHarness, incoming: Path) -> None:
    """Send so many mails, and deliver a bounce of each to the Maildir."""
    harness.world.follow(*FOLLOWERS)
    for _ in range(MAILS // len(FOLLOWERS)):
        harness.world.post("ivy", BROADCAST)
    harness.run()
    assert len(harness.transport.mails) == MAILS
    for number, mail in enumerate(harness.transport.mails):
        recipient = f"rfc822; {mail.recipient}"
        status = STATUSES[number % len(STATUSES)]
        raw = report(status, recipient=recipient)(mail.sender).encode()
        assert deliver_to_maildir(raw, str(incoming)) == 0


def kill_readers(folder: Path, waiting: Callable[[], int]) -> int:
    """Kill a reader again and again; return how often mails were waiting then."""
    rng = random.Random(seed_of_session())
    killed_under_load = 0
    process = reader(folder)
    for kill in range(1, KILLS + 1):
        rest = MAILS - MAILS * kill // (KILLS + 2) - rng.randrange(10)
        until(lambda rest=rest: waiting() <= rest, 60, f"{rest} mails left")  # type: ignore[misc]
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        killed_under_load += waiting() > 0
        process = reader(folder)
    until(lambda: waiting() == 0, 60, "an empty Maildir")
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    return killed_under_load


def test_each_incoming_mail_counts_once_however_often_its_reader_is_killed(
    tmp_path: Path,
) -> None:
    url = f"sqlite:///{tmp_path / 'notifications.db'}"
    migrate(url, "clp_notifications")
    database = Database(url)
    harness = DeliveryHarness(database)
    incoming = inbound_in(harness, tmp_path / "incoming")
    deliver_reports(harness, incoming)

    def waiting() -> int:
        return sum(1 for _ in (incoming / "new").iterdir())

    assert kill_readers(tmp_path, waiting) == KILLS
    assert not (incoming / "dead").exists()
    with database.reading() as session:
        counted = select(Bounce.kind, func.count()).group_by(Bounce.kind)
        kinds = {row[0]: row[1] for row in session.execute(counted)}
        per_notification = session.execute(
            select(TransitionRow.notification, TransitionRow.reason, func.count())
            .where(TransitionRow.reason.in_(["bounced_for_now", "mail_bounced"]))
            .group_by(TransitionRow.notification, TransitionRow.reason)
        ).all()
        suppressed = session.scalars(select(Suppression.address)).all()
    database.close()
    assert kinds == {"temporary": MAILS * 3 // 4, "mail_failed": MAILS // 4}
    assert len(per_notification) == MAILS
    assert {row[2] for row in per_notification} == {1}
    # Fifty soft bounces each stop three addresses, once; failed mails stop none.
    assert sorted(suppressed) == [
        "nat@north.example",
        "nia@north.example",
        "sam@south.example",
    ]
