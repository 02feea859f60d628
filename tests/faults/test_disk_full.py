"""F6: the disk of database, outbox, files, index and mails is full, then has room."""

import os
from pathlib import Path

import eventlet
import pytest

from clp_chassis.concurrency.rate_limiter import NO_LIMIT
from clp_contracts.errors import CallFailed, Refused
from clp_suite import EmbeddedSuite
from tests.faults.ack_log import Acked, AckLog
from tests.faults.conftest import seed_of_session
from tests.faults.disks import MountRefused, fill, small_disk
from tests.faults.fault_run import settle, until
from tests.faults.invariants import Evidence, judge
from tests.faults.load import Client, Load, create_world
from tests.faults.test_embedded_killed import left_in, mails_of

pytestmark = pytest.mark.faults

CLEAN = {"service.unavailable", "service.failed"}


def test_a_full_disk_refuses_cleanly_and_loses_nothing(tmp_path: Path) -> None:
    try:
        with small_disk(tmp_path / "disk", 64) as disk:
            _fill_and_free(disk, AckLog(tmp_path / "acks.jsonl"))
    except MountRefused as error:
        if os.environ.get("CI") == "true" and os.geteuid() == 0:
            raise
        pytest.skip(f"NOT RUN: no small disk could be mounted: {error}")


def _fill_and_free(disk: Path, ack_log: AckLog) -> None:
    load = Load(run=60, clients=1, each=5, projects=1, seed=seed_of_session())
    channel = f"{load.project(0)}/direct/north"
    with EmbeddedSuite(disk / "data", rate_limit=NO_LIMIT) as suite:
        create_world(suite, load)
        Client(0, load, ack_log).work(suite)
        # The load picks its channels by its seed; this one is read below, whatever it is.
        _post(suite, channel, load.word(0, 99), ack_log)
        # Nothing under way: what the disk then refuses is only what is asked for.
        settle(suite, 60)
        filler = fill(disk)

        refused = _post_until_refused(suite, channel, load, ack_log)
        assert refused in CLEAN
        with pytest.raises(Refused) as upload:
            suite.files("ivy").upload(
                channel=channel, name="cue.csv", body=b"a,b\n" * 100_000
            )
        assert upload.value.code in CLEAN
        assert suite.client("inga").messages.page(channel=channel).messages

        filler.unlink()
        until(lambda: _posts(suite, channel, load, ack_log), 5, "serving again")
        settle(suite, 60)
        until(lambda: not any(left_in(disk).values()), 60, "no mail waits")
        verdict = judge(
            suite, load, ack_log, Evidence(mails_of(suite), left_in(disk)), searches=10
        )
    assert not verdict.broken, verdict.broken


def _post_until_refused(
    suite: EmbeddedSuite, channel: str, load: Load, ack_log: AckLog
) -> str:
    """The free space inside existing files is used up first."""
    for serial in range(100, 5_000):
        try:
            _post(suite, channel, load.word(0, serial), ack_log)
        except Refused as refused:
            ack_log.mark_uncertain(load.word(0, serial))
            return refused.code
    raise AssertionError("the disk is never full")


def _posts(suite: EmbeddedSuite, channel: str, load: Load, ack_log: AckLog) -> bool:
    try:
        _post(suite, channel, load.word(0, 9_999), ack_log)
    except (CallFailed, Refused):
        eventlet.sleep(0.1)
        return False
    return True


def _post(suite: EmbeddedSuite, channel: str, word: str, ack_log: AckLog) -> None:
    text = f"{word} {'x' * 5_000}"
    posted = suite.client("ivy").messages.post(channel=channel, text=text, key=word)
    ack_log.ack(Acked(word, channel, "ivy", posted.id, posted.number, 0.0, 0.0))
