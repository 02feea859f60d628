"""Test processes that are forked after the collection share the tests and no output."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support import forks
from tests.support.run import worst
from tests.support.work_queue import COUNTER, PROCESSES, SHORT, codes_file, in_order

# Each of the two waits for the other, so that neither process can run both.
WAITING = """
import time
from pathlib import Path

def meet(me, other):
    Path(__file__).with_name(me).touch()
    while not Path(__file__).with_name(other).exists():
        time.sleep(0.01)
"""
PASSES = (
    f"{WAITING}\ndef test_passes():\n    meet('a', 'b')\n    print('by the first')\n"
)
FAILS = f"{WAITING}\ndef test_fails():\n    meet('b', 'a')\n    assert not 'by me'\n"
DIES = f"{WAITING}\nimport os\ndef test_dies():\n    meet('b', 'a')\n    os.kill(os.getpid(), 9)\n"


BED = """
import pytest
from pathlib import Path

@pytest.fixture(scope="session")
def bed():
    yield
    Path(__file__).with_name("stopped").touch()
"""
USES_THE_BED = "def test_uses(bed):\n    pass\n"
FOLLOWS = """
from pathlib import Path

def test_follows():
    assert Path(__file__).with_name("stopped").exists()
"""


def run_files(
    folder: Path, files: Mapping[str, str], *, processes: int
) -> tuple[list[int], list[str]]:
    """Run files on some processes; return their exit codes and outputs."""
    for name, text in files.items():
        (folder / name).write_text(text)
    counter = folder / "counter"
    counter.touch()
    command = [sys.executable, "-m", "pytest", "-p", "tests.support.work_queue", "-q"]
    first = subprocess.run(
        [
            *command,
            "-c",
            os.devnull,
            "-o",
            f"cache_dir={forks.cache_of(folder, 0)}",
            folder,
        ],
        env=os.environ
        | {
            COUNTER: str(counter),
            PROCESSES: str(processes),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    codes = [first.returncode]
    if codes_file(counter).exists():
        codes += json.loads(codes_file(counter).read_text())
    logs = [forks.log_of(folder, number).read_text() for number in range(1, processes)]
    return codes, [first.stdout, *logs]


def test_each_process_runs_tests_and_tells_of_its_own(tmp_path: Path) -> None:
    codes, outputs = run_files(
        tmp_path, {"test_1.py": PASSES, "test_2.py": FAILS}, processes=2
    )
    assert sorted(codes) == [0, 1]
    failed = codes.index(1)
    assert "1 failed" in outputs[failed]
    assert "by me" in outputs[failed]
    assert "1 passed" in outputs[1 - failed]
    assert "by me" not in outputs[1 - failed]
    last = forks.cache_of(tmp_path, failed) / "v/cache/lastfailed"
    assert [name.rpartition("::")[2] for name in json.loads(last.read_text())] == [
        "test_fails"
    ]


def test_a_killed_process_is_no_success(tmp_path: Path) -> None:
    codes, _ = run_files(
        tmp_path, {"test_1.py": PASSES, "test_2.py": DIES}, processes=2
    )
    assert -9 in codes
    assert worst(codes) != 0


def test_what_an_expensive_group_started_ends_with_it(tmp_path: Path) -> None:
    files = {"conftest.py": BED, "test_1.py": FOLLOWS, "test_2.py": USES_THE_BED}
    codes, outputs = run_files(tmp_path, files, processes=1)
    assert codes == [0], outputs


@pytest.mark.parametrize(("codes", "code"), [([0, 0], 0), ([0, 1], 1), ([-9, 0], 9)])
def test_the_worst_exit_code_counts(codes: list[int], code: int) -> None:
    assert worst(codes) == code


def test_files_that_wait_for_processes_come_before_those_that_compute() -> None:
    names = ["up", "tests/services/a.py", "tests/faults/b.py", "tests/contracts/c.py"]
    assert in_order(names) == [names[0], names[2], names[1], names[3]]
    assert all((Path(__file__).parents[2] / folder).is_dir() for folder in SHORT)
