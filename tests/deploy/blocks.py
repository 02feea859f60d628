"""The commands of the runbook, as an operator would paste them."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.deploy.running import UpSystem

README = Path(__file__).parents[2] / "deploy" / "README.md"
BLOCK = re.compile(r"<!-- run: (\S+) -->\n```sh\n(.*?)```", re.DOTALL)


def blocks() -> dict[str, str]:
    """Every block that is marked to be run, by its name."""
    return dict(BLOCK.findall(README.read_text()))


def run_block(name: str, up: UpSystem) -> str:
    """Run a block against a system that is up; what it printed."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-eu", "-o", "pipefail", "-c", blocks()[name]],
        env=os.environ
        | {"PATH": path, "CLP_UP_DATA": str(up.data), "PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
