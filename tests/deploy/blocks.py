"""The shell blocks of the runbook, run as an operator pastes them."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.deploy.running import UpSystem

RUNBOOK = Path(__file__).parents[2] / "docs" / "operations" / "runbook.md"
BLOCK = re.compile(r"<!-- run: (\S+) -->\n```sh\n(.*?)```", re.DOTALL)


def blocks() -> dict[str, str]:
    """Every block marked ``<!-- run: NAME -->``, by its name."""
    return dict(BLOCK.findall(RUNBOOK.read_text()))


def run_block(name: str, up: UpSystem) -> str:
    """Run a block against a running system and return its output."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    result = subprocess.run(
        ["bash", "-eu", "-o", "pipefail", "-c", blocks()[name]],
        env=os.environ
        | {"PATH": path, "CLP_UP_DATA": str(up.data), "PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout
