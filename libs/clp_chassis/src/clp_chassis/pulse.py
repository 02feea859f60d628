"""A sign of life that needs no port: a file that a healthy process keeps touching.

The file named by ``CLP_PULSE_FILE`` says `waiting` while the broker is awaited and
`running` afterwards. ``python -m clp_chassis.pulse`` looks at it, for health checks: a
process whose loop hangs stops touching it. A broker that is away makes nobody
unhealthy, as starting again would not bring it back.
"""

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Final

from clp_chassis.clock import now

VARIABLE: Final = "CLP_PULSE_FILE"
BEAT_EVERY_S: Final = 2.0
DEAD_AFTER_S: Final = 20.0
WAITING: Final = "waiting"
RUNNING: Final = "running"


class Pulse:
    """Beats into a file, or nowhere if none is named."""

    def __init__(self, path: str | None = None) -> None:
        named = os.environ.get(VARIABLE, "") if path is None else path
        self._path = Path(named) if named else None
        self._beat_at = 0.0
        self._said = ""

    def beat(self, state: str) -> None:
        """Say that this process lives; cheap enough for every turn of a loop."""
        if self._path is None:
            return
        at = time.monotonic()
        if state == self._said and at - self._beat_at < BEAT_EVERY_S:
            return
        self._said, self._beat_at = state, at
        part = self._path.with_name(f".{self._path.name}.part")
        part.write_text(state)
        part.replace(self._path)


def complaint(path: str, *, running: bool, age_s: float = DEAD_AFTER_S) -> str:
    """What is wrong with a process, going by its pulse; nothing if it is well."""
    if not path:
        return f"{VARIABLE} is not set"
    try:
        state, touched = Path(path).read_text(), Path(path).stat().st_mtime
    except OSError:
        return "no pulse yet"
    if (age := now().timestamp() - touched) > age_s:
        return f"no pulse for {age:.0f} s"
    return f"it is {state}" if running and state != RUNNING else ""


def main() -> None:
    """Exit with 0 when the pulse is good; say why when it is not."""
    asked = argparse.ArgumentParser(
        prog="python -m clp_chassis.pulse",
        description=f"Whether the process that beats into {VARIABLE} is alive.",
    )
    asked.add_argument("--running", action="store_true", help="and takes work")
    wrong = complaint(os.environ.get(VARIABLE, ""), running=asked.parse_args().running)
    if wrong:
        sys.exit(wrong)


if __name__ == "__main__":
    main()
