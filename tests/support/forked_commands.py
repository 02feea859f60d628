"""``python -m tests.support.forked_commands``: commands in forks that have imported already.

A Python that imports what our commands use takes a second of a core; a fork of it takes
none. Reads ``[[module, argument, ...], ...]`` from standard input and writes
``[[exit code, standard error], ...]``.
"""

import gc
import importlib
import json
import os
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from clp_suite.environment import without_settings

# What takes long, and nothing that has read a setting.
IMPORTED = (
    "clp_chassis.concurrency.monkey_patch",
    "clp_suite.embedded",
    "clp_suite.servers",
    "clp_deploy.readme_tables",
    "clp_ops.__main__",
)


def run_forked(
    commands: Sequence[Sequence[str]], folder: Path
) -> list[tuple[int, str]]:
    """Run modules with arguments in a folder; return exit codes and standard errors."""
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", __name__],
        cwd=folder,
        env=without_settings(os.environ) | {"PYTHONPATH": str(root)},
        input=json.dumps(commands),
        stdout=subprocess.PIPE,
        text=True,
        timeout=120,
        check=True,
    )
    return [(code, text) for code, text in json.loads(done.stdout)]


def _ended(command: Sequence[str]) -> tuple[int, str]:
    with tempfile.TemporaryFile() as errors:
        pid = os.fork()
        if not pid:
            _become(command, errors.fileno())
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        errors.seek(0)
        return code, errors.read().decode(errors="replace")


def _become(command: Sequence[str], errors: int) -> None:
    """Run the command, and end as Python ends after it."""
    os.dup2(os.open(os.devnull, os.O_RDWR), 0)
    os.dup2(0, 1)
    os.dup2(errors, 2)
    # The hub of before the fork is the other process's.
    sys.modules["eventlet.hubs"].use_hub()
    sys.argv = list(command)
    runpy.run_module(command[0], run_name="__main__", alter_sys=True)
    sys.exit()


def main() -> None:
    """Run the commands one after the other."""
    for name in IMPORTED:
        importlib.import_module(name)
    # No fork looks through what it did not make, least of all when it ends.
    gc.freeze()
    sys.stdout.write(json.dumps([_ended(command) for command in json.load(sys.stdin)]))


if __name__ == "__main__":
    main()
