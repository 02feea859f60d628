"""The pulse of a process: seen while it beats, missed when it stops."""

import os
import time
from pathlib import Path

import pytest

from clp_chassis.pulse import RUNNING, WAITING, Pulse, complaint


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "pulse"


def test_a_process_that_beats_is_well(path: Path) -> None:
    Pulse(str(path)).beat(RUNNING)
    assert not complaint(str(path), running=True)


def test_a_process_that_waits_for_the_broker_is_well_but_takes_no_work(
    path: Path,
) -> None:
    Pulse(str(path)).beat(WAITING)
    assert not complaint(str(path), running=False)
    assert complaint(str(path), running=True) == "it is waiting"


def test_a_process_that_stopped_beating_is_not_well(path: Path) -> None:
    Pulse(str(path)).beat(RUNNING)
    long_ago = time.time() - 60
    os.utime(path, (long_ago, long_ago))
    assert "no pulse for 60 s" in complaint(str(path), running=False)


@pytest.mark.parametrize(
    ("named", "why"), [("", "is not set"), ("nowhere", "no pulse yet")]
)
def test_no_pulse_is_no_health(named: str, why: str) -> None:
    assert why in complaint(named, running=False)


def test_a_state_is_told_at_once_and_the_same_one_now_and_then(path: Path) -> None:
    pulse = Pulse(str(path))
    pulse.beat(WAITING)
    pulse.beat(RUNNING)
    assert path.read_text() == RUNNING
    path.unlink()
    pulse.beat(RUNNING)
    assert not path.exists(), "not written again within two seconds"


def test_a_process_without_a_file_beats_nowhere(tmp_path: Path) -> None:
    Pulse("").beat(RUNNING)
    assert list(tmp_path.iterdir()) == []
