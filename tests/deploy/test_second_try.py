"""A test that fails on the build machine is run once more, alone, and named."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

FAILS_ONCE = """
from pathlib import Path

FIRST = Path(__file__).with_suffix(".run")

def test_fails_once():
    if not FIRST.exists():
        FIRST.touch()
        raise AssertionError("the machine was busy")

def test_passes():
    pass
"""
FAILS = "def test_fails():\n    assert False\n"
FAILS_TOO_OFTEN = """
import pytest

@pytest.mark.parametrize("number", range(4))
def test_fails_once(number, path=__file__):
    from pathlib import Path
    run = Path(f"{path}.{number}")
    if not run.exists():
        run.touch()
        raise AssertionError("the machine was busy")
"""


@pytest.mark.parametrize(
    ("tests", "machine", "code"),
    [
        pytest.param(FAILS_ONCE, "true", 0, id="fails once on the build machine"),
        pytest.param(FAILS_ONCE, "", 1, id="fails once elsewhere"),
        pytest.param(FAILS, "true", 1, id="fails twice"),
        pytest.param(FAILS_TOO_OFTEN, "true", 1, id="four fail once"),
    ],
)
def test_the_exit_code(tmp_path: Path, tests: str, machine: str, code: int) -> None:
    file = tmp_path / "test_machine.py"
    file.write_text(tests)
    ended = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.support.second_try",
            "-q",
            "-c",
            os.devnull,
            file,
        ],
        # None of our plugins matters, and they take seconds to load.
        env=os.environ | {"CI": machine, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == code, ended.stdout + ended.stderr
    assert ("FAILED ONCE" in ended.stdout) == (
        machine == "true" and "range" not in tests
    )
