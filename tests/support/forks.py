"""Test processes forked from one that has collected the tests.

To collect takes ten seconds of a core; to copy what was collected takes none. A fork
writes its output and what failed into files of its own, shares no capture with the others
and waits on a hub of its own.
"""

import gc
import os
import sys
from pathlib import Path
from typing import Final

import pytest

WORKER: Final = "TESTS_WORKER"


def worker_number() -> int:
    """The number of this test process; 0 for a run with one process."""
    return int(os.environ.get(WORKER, "0"))


def log_of(folder: Path, number: int) -> Path:
    """The output of a fork; process 0 prints its own."""
    return folder / f"{number}.log"


def cache_of(folder: Path, number: int) -> Path:
    """Where a process notes what failed."""
    return folder / f"{number}.cache"


def fork(config: pytest.Config, folder: Path, processes: int) -> list[int]:
    """Fork all processes but this one; return their ids, or none inside of a fork."""
    capture = config.pluginmanager.getplugin("capturemanager")
    # Its file would be everybody's.
    capture.stop_global_capturing()
    sys.stdout.flush()
    sys.stderr.flush()
    # Full collections pass over what stays until the end, and leave its memory shared.
    gc.freeze()
    forked: list[int] = []
    for number in range(1, processes):
        pid = os.fork()
        if not pid:
            forked.clear()
            _become(config, folder, number)
            break
        forked.append(pid)
    capture.start_global_capturing()
    capture.suspend_global_capture()
    return forked


def exit_codes(forked: list[int]) -> list[int]:
    """Wait for forks until they end."""
    return [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in forked]


def _become(config: pytest.Config, folder: Path, number: int) -> None:
    os.environ[WORKER] = str(number)
    log = os.open(log_of(folder, number), os.O_WRONLY | os.O_CREAT, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    config.cache = pytest.Cache(cache_of(folder, number), config, _ispytest=True)
    if hubs := sys.modules.get("eventlet.hubs"):
        # Two processes cannot wait with one set of descriptors.
        hubs.use_hub()
