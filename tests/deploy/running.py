"""A system started by `make up`, for tests."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

from clp_contracts.client import Clients, connect
from clp_contracts.errors import CallFailed
from clp_contracts.methods import PassportKind
from clp_deploy.keys import KeyRing
from clp_suite.up.state_files import read_status

UP = [sys.executable, "-W", "ignore", "-m", "clp_suite.up"]
START_S = 180.0
STOP_S = 90.0
# A writer's mentions come faster than people type: each leaves in a mail of its own.
EACH_MENTION_MAILED = {
    "CLP_NOTIFICATIONS_MENTION_WINDOW_S": "0",
    "CLP_NOTIFICATIONS_MAX_MENTION_MAILS_PER_HOUR": "0",
}
EXPORT = re.compile(r"export (\w+)='(.*)'")


def until(holds: Callable[[], object], seconds: float = 30.0) -> None:
    """Return as soon as the condition holds; fail after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds:g} s"
        time.sleep(0.05)


def _is_alive(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


class UpSystem:
    """All process types on private servers."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.log_file = data.with_suffix(".log")
        self._clients: dict[str, Clients] = {}

    def __enter__(self) -> Self:
        with self.log_file.open("wb") as log:
            self.process = subprocess.Popen(
                [*UP, "start", "--data", str(self.data)],
                env=os.environ | EACH_MENTION_MAILED,
                stdout=log,
                stderr=log,
            )
        until(lambda: "everything is up" in self.log or self._died(), START_S)
        return self

    def _died(self) -> bool:
        assert self.process.poll() is None, self.log
        return False

    def __exit__(self, *_: object) -> None:
        for clients in self._clients.values():
            clients.close()
        family = self.family()
        try:
            self._stop_gracefully(family)
        finally:
            for pid in family:
                if _is_alive(pid):
                    os.kill(pid, signal.SIGKILL)

    def _stop_gracefully(self, family: set[int]) -> None:
        """One SIGTERM stops every process gracefully."""
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(STOP_S) == 0, self.log
        assert "everything has stopped" in self.log
        assert "SIGKILL" not in self.log.rpartition("stopping; running tasks")[2]
        until(lambda: not any(map(_is_alive, family)))

    def family(self) -> set[int]:
        """The supervisor's process and all its descendants."""
        parents = {
            int(path.name): int(
                path.joinpath("stat").read_text().rpartition(")")[2].split()[1]
            )
            for path in Path("/proc").iterdir()
            if path.name.isdecimal() and path.joinpath("stat").exists()
        }
        family = {self.process.pid}
        while grown := {pid for pid, up in parents.items() if up in family} - family:
            family |= grown
        return family

    @property
    def log(self) -> str:
        return self.log_file.read_text()

    @property
    def pids(self) -> dict[str, int]:
        return {name: facts["pid"] for name, facts in read_status(self.data).items()}

    def address(self, name: str) -> str:
        """A URL of ``addresses.env``."""
        exports = EXPORT.findall((self.data / "addresses.env").read_text())
        return dict(exports)[name]

    def broker(self, user: str) -> str:
        return self.address(f"CLP_{user.upper()}_BROKER_URL")

    def client(self, subject: str, user: str, kind: PassportKind) -> Clients:
        """Typed clients with a passport, connected as a broker user."""
        key = f"{subject}/{user}"
        if key not in self._clients:
            passport = KeyRing(self.data / "keys").source(subject, kind)
            self._clients[key] = connect(self.broker(user), passport, timeout=20.0)
        return self._clients[key]

    def person(self, name: str) -> Clients:
        return self.client(name, "gateway", PassportKind.PERSON)

    def service(self, name: str) -> Clients:
        return self.client(name, name, PassportKind.SERVICE)

    def mails(self) -> list[bytes]:
        folder = self.data / "sink"
        return [path.read_bytes() for path in sorted(folder.glob("[!.]*"))]

    def kill(self, name: str) -> int:
        """Send SIGKILL to a process and return its pid."""
        pid = self.pids[name]
        os.kill(pid, signal.SIGKILL)
        return pid

    def responds(self) -> bool:
        operations = self.service("operations")
        try:
            operations.projects.progress()
            operations.messages.progress()
            operations.search.progress()
            operations.notifications.progress()
        except CallFailed:
            return False
        return True
