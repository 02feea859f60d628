"""F5: the only process is killed repeatedly; the data folder stays intact."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from email import message_from_bytes
from pathlib import Path

import pytest

from clp_chassis.concurrency.rate_limiter import NO_LIMIT
from clp_suite import EmbeddedSuite
from clp_suite.server_process import as_account
from tests.faults.ack_log import AckLog, SentMail
from tests.faults.conftest import seed_of_session
from tests.faults.embedded_writer import LOAD
from tests.faults.fault_run import settle, until
from tests.faults.invariants import LEFT, Evidence, judge
from tests.faults.sink import more_than_shown, recipient_and_words

pytestmark = pytest.mark.faults

KILLS = int(os.environ.get("TESTS_FAULTS_KILLS", "3"))
POSTS_BETWEEN = int(os.environ.get("TESTS_FAULTS_POSTS", "15"))
SERVICES = ("projects", "messages", "notifications")


def test_the_embedded_suite_survives_the_death_of_its_process(tmp_path: Path) -> None:
    seed = seed_of_session()
    print(f"seed {seed}")
    ready: list[float] = []
    for turn in range(KILLS):
        began = time.monotonic()
        ready.append(_run_and_kill(tmp_path, seed, turn))
        print(f"turn {turn}: up after {ready[-1]:.1f} s")
        assert time.monotonic() - began < 200
    with EmbeddedSuite(tmp_path / "data", rate_limit=NO_LIMIT) as suite:
        settle(suite, 120)
        # A mail that met a service that was not up yet waits for its next try.
        until(lambda: not any(left_in(tmp_path).values()), 120, "no mail waits")
        ack_log = AckLog(tmp_path / "acks.jsonl")
        posted = ack_log.read_back()
        # In hand when the last kill came, and nobody asked again: stored or not.
        ack_log.uncertain.add(LOAD.word(0, posted))
        verdict = judge(
            suite,
            LOAD,
            ack_log,
            Evidence(mails_of(suite), left_in(tmp_path)),
            searches=20,
        )

    print(verdict.figures, "seconds to be up:", [round(one, 2) for one in ready])
    assert posted >= KILLS * POSTS_BETWEEN
    assert not verdict.broken, verdict.broken
    assert verdict.figures["duplicate mails"] <= KILLS


def _run_and_kill(folder: Path, seed: int, turn: int) -> float:
    """Run until it posted some more, copy the folder as after a power cut, kill."""
    acks, up = folder / "acks.jsonl", folder / "up"
    up.unlink(missing_ok=True)
    before = _lines(acks)
    began = time.monotonic()
    child = subprocess.Popen(
        [
            *(*as_account(None), sys.executable, "-W", "ignore"),
            *("-m", "tests.faults.embedded_writer", str(folder), str(seed)),
        ]
    )
    try:
        until(up.exists, 120, "the suite is up")
        ready = time.monotonic() - began
        until(lambda: _lines(acks) >= before + POSTS_BETWEEN, 120, "posts")
        # Power ends between two writes: what was written so far is all there is.
        child.send_signal(signal.SIGSTOP)
        copy = folder / f"copy-{turn}"
        shutil.copytree(folder / "data", copy, ignore=_leave_out)
    finally:
        child.kill()
        child.wait()
    for place in (copy, folder / "data"):
        assert list(_damage(place)) == []
    return ready


def _leave_out(_folder: str, names: list[str]) -> set[str]:
    return {name for name in names if not name.split("-")[0].endswith(".db")}


def _damage(place: Path) -> Iterator[str]:
    for service in SERVICES:
        with closing(sqlite3.connect(place / f"{service}.db")) as database:
            (found,) = database.execute("pragma integrity_check").fetchone()
        if found != "ok":
            yield f"{service}: {found}"


def _lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


def left_in(folder: Path) -> dict[str, int]:
    """Count rows that must not be left once idle."""
    with closing(sqlite3.connect(folder / "data" / "notifications.db")) as database:
        return {what: database.execute(q).fetchone()[0] for what, q in LEFT.items()}


def mails_of(suite: EmbeddedSuite) -> list[SentMail]:
    """Yield the mails in the suite's folder."""
    found = []
    for raw in suite.mails():
        identity, to, words = recipient_and_words(raw)
        more = more_than_shown(message_from_bytes(raw))
        found.append(
            SentMail(identity, to, tuple(words), 0.0, 0.0, cut=False, more=more)
        )
    return found
