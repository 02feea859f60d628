"""Do what pages say, as a newcomer who pastes each block into a shell.

    run_pages.py PAGE ...

A comment ``newcomer: KIND`` stands before a block of shell commands or alone:

    run     paste the block; exported variables live on, as in a shell
    start   paste the block into a terminal of its own, and wait for "everything is up"
    stop    press Ctrl-C there
    empty   stop, and lose the data folder, as when the machine is lost

Of README.md the commands that begin with ``make`` run, except the tests.
"""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

STEP: Final = re.compile(r"<!-- newcomer: (\w+) -->(?:\n```sh\n(.*?)```)?", re.DOTALL)
README_COMMAND: Final = re.compile(r"^    (make (?:portal|demo))\b", re.MULTILINE)
READY: Final = {"make up": "everything is up", "make portal": "http://"}
START_S: Final = 1800.0
STOP_S: Final = 120.0
# What a shell keeps from one pasted block to the next.
KEEP: Final = "{ export -p; printf 'cd %q\\n' \"$PWD\"; } > {state}"


class Newcomer:
    """Somebody with two terminals."""

    def __init__(self, folder: Path) -> None:
        self._log = folder / "terminal.log"
        self._state = folder / "shell"
        self._running: subprocess.Popen[bytes] | None = None

    def follow(self, page: Path) -> None:
        """Do every step of a page in order."""
        for kind, block in _steps(page):
            sys.stdout.write(f"== {page}: {kind}\n{block}")
            sys.stdout.flush()
            if kind == "run":
                self._run(block)
            elif kind == "start":
                self._start(block.strip())
            else:
                self.stop()
                if kind == "empty":
                    Path("run-data").rename("build/newcomer/lost-data")

    def _run(self, block: str) -> None:
        before = f". {self._state}\n" if self._state.exists() else ""
        script = before + block + KEEP.replace("{state}", str(self._state))
        subprocess.run(["bash", "-euo", "pipefail", "-c", script], check=True)  # noqa: S603, S607

    def _start(self, command: str) -> None:
        with self._log.open("wb") as log:
            self._running = subprocess.Popen(  # noqa: S603
                ["bash", "-c", f"exec {command}"],  # noqa: S607
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_S
        while READY[command] not in self._log.read_text(errors="replace"):
            if self._running.poll() is not None:
                self._running = None
                raise SystemExit(f"{command} ended:\n{self._log.read_text()[-4000:]}")
            if time.monotonic() > deadline:
                raise SystemExit(f"{command} failed:\n{self._log.read_text()[-4000:]}")
            time.sleep(0.2)

    def stop(self) -> None:
        """Press Ctrl-C in the other terminal, which signals everything in it."""
        if self._running is None:
            return
        os.killpg(self._running.pid, signal.SIGINT)
        try:
            self._running.wait(STOP_S)
        except subprocess.TimeoutExpired:
            os.killpg(self._running.pid, signal.SIGKILL)
            raise SystemExit(
                f"it did not end:\n{self._log.read_text()[-4000:]}"
            ) from None
        finally:
            self._running = None


def _steps(page: Path) -> Iterator[tuple[str, str]]:
    text = page.read_text(encoding="utf-8")
    if page.name == "README.md":
        for command in README_COMMAND.findall(text):
            if command in READY:
                yield "start", f"{command}\n"
                yield "stop", ""
            else:
                yield "run", f"{command}\n"
        return
    found = STEP.findall(text)
    if not found:
        raise SystemExit(f"{page} has no step for a newcomer")
    yield from found


def main(pages: list[str]) -> None:
    """Follow the pages, each from a clean folder of data."""
    folder = Path("build/newcomer").absolute()
    folder.mkdir(parents=True, exist_ok=True)
    newcomer = Newcomer(folder)
    try:
        for page in map(Path, pages):
            newcomer.follow(page)
    finally:
        newcomer.stop()
    sys.stdout.write(f"everything in {', '.join(pages)} works\n")


if __name__ == "__main__":
    main(sys.argv[1:])
