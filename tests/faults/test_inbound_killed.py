"""kill -9 of the reader of incoming mail: each mail is counted once."""

import os
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import func, select

from clp_chassis.persistence.database import Database, migrate
from clp_notifications.inbound.maildir import deliver_to_maildir
from clp_notifications.tables import Bounce, MailSetting, Suppression, TransitionRow
from tests.faults.conftest import seed_of_session
from tests.faults.fault_run import until
from tests.services.notifications.bounce_reports import report
from tests.services.notifications.harness import DeliveryHarness, inbound_in
from tests.services.notifications.sample_world import BROADCAST

pytestmark = pytest.mark.faults

MAILS = 200
KILLS = 8
FOLLOWERS = ("nat", "nia", "sam", "sol")
# Three quarters are soft; every fourth mail is one of these.
STATUSES = ("4.2.2", "4.4.7", "4.2.2", "5.0.0")


def reader(folder: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-W", "ignore", "-m", "tests.faults.inbound_reader"]
    return subprocess.Popen([*command, str(folder)])


def test_each_incoming_mail_counts_once_however_often_its_reader_is_killed(
    tmp_path: Path,
) -> None:
    url = f"sqlite:///{tmp_path / 'notifications.db'}"
    migrate(url, "clp_notifications")
    database = Database(url)
    harness = DeliveryHarness(database)
    incoming = inbound_in(harness, tmp_path / "incoming")
    harness.world.follow(*FOLLOWERS)
    for _ in range(MAILS // len(FOLLOWERS)):
        harness.world.post("ivy", BROADCAST)
    harness.run()
    sent = harness.transport.mails
    assert len(sent) == MAILS
    for number, mail in enumerate(sent):
        recipient = f"rfc822; {mail.recipient}"
        status = STATUSES[number % len(STATUSES)]
        raw = report(status, recipient=recipient)(mail.sender).encode()
        assert deliver_to_maildir(raw, str(incoming)) == 0
    rng = random.Random(seed_of_session())

    def waiting() -> int:
        return sum(1 for _ in (incoming / "new").iterdir())

    killed_under_load = 0
    process = reader(tmp_path)
    for kill in range(1, KILLS + 1):
        rest = MAILS - MAILS * kill // (KILLS + 2) - rng.randrange(10)
        until(lambda rest=rest: waiting() <= rest, 60, f"{rest} mails left")  # type: ignore[misc]
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        killed_under_load += waiting() > 0
        process = reader(tmp_path)
    until(lambda: waiting() == 0, 60, "an empty Maildir")
    os.kill(process.pid, signal.SIGKILL)
    process.wait()

    assert killed_under_load == KILLS
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
        settings = session.scalars(select(MailSetting)).all()
    assert kinds == {"temporary": MAILS * 3 // 4, "mail_failed": MAILS // 4}
    assert len(per_notification) == MAILS
    assert {row[2] for row in per_notification} == {1}
    assert settings == []
    # Fifty soft bounces each stop three addresses, once; failed mails stop none.
    assert sorted(suppressed) == [
        "nat@north.example",
        "nia@north.example",
        "sam@south.example",
    ]
    database.close()
    shutil.rmtree(incoming)
