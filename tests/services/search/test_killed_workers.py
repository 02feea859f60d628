"""Kill workers at any moment while messages arrive: nothing missing, nothing double."""

import os
import random
import signal
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from clp_search.index.generations import Generations
from clp_search.workers.process import WorkerLost
from clp_search.workers.remote_engine import RemoteEngine
from tests.services.search.scenario import SMALL, START
from tests.services.search.test_crash_recovery import (
    MESSAGES,
    _compare_with_scan,
    state_at,
)

STEP = 5


def _tell_more(index: RemoteEngine) -> None:
    """Apply the next few changes of the feed, in their state when read."""
    after = index.cursor()
    upto = after + STEP
    changes = [state_at(p, upto) for p in range(after + 1, upto + 1)]
    index.apply(changes, after=after, upto=upto)
    index.maintain(START + timedelta(seconds=upto))


def _survive(folder: Path, kills: int) -> None:
    chance = random.Random(kills)
    index = RemoteEngine(Generations(folder, SMALL.shards).current, SMALL, workers=2)
    killed = 0
    while killed < kills:
        worker = chance.choice(index.workers)
        pid = worker.pid
        if pid is None:
            _try(index)
            continue
        moment = chance.uniform(0, 0.06)
        killer = threading.Timer(moment, os.kill, (pid, signal.SIGKILL))
        killer.start()
        while worker.pid == pid:
            _try(index)
        killer.join()
        killed += 1
        print(f"killed {killed} of {kills}", file=sys.stderr)  # noqa: T201 - progress
    reached = index.cursor()
    while index.cursor() < reached + 2 * MESSAGES:
        _try(index)
    _compare_with_scan(index, index.cursor())
    index.checkpoint()
    _compare_with_scan(index, index.cursor())
    index.close()


def _try(index: RemoteEngine) -> None:
    try:
        _tell_more(index)
    except WorkerLost:
        for worker in index.workers:
            worker._retry_at = 0.0  # it was killed on purpose: no need to pause


def test_workers_killed_a_few_times(tmp_path: Path) -> None:
    _survive(tmp_path / "index", 4)


@pytest.mark.slow
def test_workers_killed_fifty_times(tmp_path: Path) -> None:
    _survive(tmp_path / "index", 50)
