"""Starting and stopping one private server, and everything it started itself.

Servers belong to the process that started them: each is asked to end by the kernel when
that process dies, and is stopped by the process ids it was seen to have.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

LOOPBACK: Final = "127.0.0.1"
LOOK_AGAIN_SECONDS: Final = 0.05
LAST_LINES: Final = 15
LOWEST_PORT: Final = 10_000
OUTGOING_PORTS: Final = Path("/proc/sys/net/ipv4/ip_local_port_range")
USUAL_FIRST_OUTGOING: Final = 32_768


class ServerTrouble(Exception):
    """A private server is missing, does not start or does not end."""


def free_ports(how_many: int) -> list[int]:
    """Ports of the loopback interface that nobody used a moment ago.

    They lie below those that the system gives to outgoing connections, so that none
    takes them before their server listens; and are drawn, so that two who look at the
    same time find different ones.
    """
    ports: set[int] = set()
    while len(ports) < how_many:
        port = LOWEST_PORT + secrets.randbelow(_first_outgoing_port() - LOWEST_PORT)
        if _is_free(port):
            ports.add(port)
    return list(ports)


def _is_free(port: int) -> bool:
    try:
        socket.create_server((LOOPBACK, port)).close()
    except OSError:
        return False
    return True


def _first_outgoing_port() -> int:
    try:
        first = int(OUTGOING_PORTS.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return USUAL_FIRST_OUTGOING
    # A system that gives them all away leaves no better choice than to draw.
    return max(first, 2 * LOWEST_PORT)


def can_connect(port: int) -> bool:
    """Whether somebody listens there."""
    try:
        socket.create_connection((LOOPBACK, port), timeout=1).close()
    except OSError:
        return False
    return True


def wait_until(
    done: Callable[[], bool], seconds: float, complaint: Callable[[], str]
) -> None:
    """Wait for a condition, or say what did not happen."""
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            raise ServerTrouble(complaint())
        time.sleep(LOOK_AGAIN_SECONDS)


@contextmanager
def server_directory() -> Iterator[Path]:
    """A new directory that the account of a server can reach, removed afterwards."""
    directory = Path(tempfile.mkdtemp(prefix="clp-servers-"))
    directory.chmod(0o755)
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def account_for(preferred: str) -> str | None:
    """Whose account a server runs under; None for our own, root is never taken."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in (preferred, "nobody") if name in known)


def hand_directory_to(directory: Path, account: str | None) -> None:
    """Make a directory for an account, or say why the account cannot reach it."""
    directory.mkdir(parents=True, exist_ok=True)
    if account is None:
        return
    entry = pwd.getpwnam(account)
    os.chown(directory, entry.pw_uid, entry.pw_gid)
    for parent in directory.resolve().parents:
        if not parent.stat().st_mode & stat.S_IXOTH:
            raise ServerTrouble(
                f"{account} cannot reach {directory}: {parent} is closed to others; "
                "take a directory from server_directory()"
            )


class ServerProcess:
    """One child process, its log, and the processes it has started."""

    def __init__(
        self, command: Sequence[str], *, account: str | None, log: Path
    ) -> None:
        self._command = [*as_account(account), *command]
        self._log = log
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def is_running(self) -> bool:
        return self._child is not None and self._child.poll() is None

    def start(self, environment: Mapping[str, str]) -> None:
        self.demand_stopped()
        with self._log.open("ab") as log:
            self._child = subprocess.Popen(  # noqa: S603 - our own words only
                self._command,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self._log.parent,
                start_new_session=True,
            )

    def demand_stopped(self) -> None:
        if self.is_running:
            raise ServerTrouble(f"{self._command} is already running")

    def stop(self, how: signal.Signals, seconds: float) -> None:
        """Ask it to end; what has not ended in time is killed."""
        if self._child is None:
            return
        family = _family_of(self._child.pid)
        if self.is_running:
            self._child.send_signal(how)
        deadline = time.monotonic() + seconds
        while self._is_alive(family) and time.monotonic() < deadline:
            time.sleep(LOOK_AGAIN_SECONDS)
        for pid, born in family.items():
            if _born(pid) == born:
                _kill(pid)
        wait_until(
            lambda: not self._is_alive(family), 10, lambda: f"{family} do not end"
        )
        self._child = None

    def last_words(self) -> str:
        """The end of its log, for error messages."""
        lines = self._log.read_text(errors="replace").splitlines()
        return "\n".join(lines[-LAST_LINES:])

    def _is_alive(self, family: Mapping[int, str]) -> bool:
        return self.is_running or any(_born(p) == born for p, born in family.items())


def as_account(account: str | None) -> list[str]:
    """What to put before a command to change its account, and to end it with us."""
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        if account is not None:
            raise ServerTrouble("setpriv (package util-linux) is missing")
        return []
    command = [setpriv, "--pdeathsig", "TERM"]
    if account is not None:
        command += ["--reuid", account, "--regid", str(pwd.getpwnam(account).pw_gid)]
        command += ["--clear-groups"]
    return [*command, "--"]


def _family_of(root: int) -> dict[int, str]:
    """A process and its descendants, each with the time it was born.

    The time tells a process from a later one that got the same id.
    """
    parents = {int(p.name): _parent(int(p.name)) for p in _processes()}
    family = {root}
    while grown := {pid for pid, up in parents.items() if up in family} - family:
        family |= grown
    return {pid: born for pid in family if (born := _born(pid))}


def _processes() -> Iterator[Path]:
    return (path for path in Path("/proc").iterdir() if path.name.isdecimal())


def _stat(pid: int) -> list[str]:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return []
    fields = text.rpartition(")")[2].split()
    return [] if fields[0] == "Z" else fields


def _parent(pid: int) -> int:
    fields = _stat(pid)
    return int(fields[1]) if fields else 0


def _born(pid: int) -> str:
    fields = _stat(pid)
    return fields[19] if fields else ""


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
