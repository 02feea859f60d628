"""Start and stop one private server with all its descendant processes.

The kernel sends a server SIGTERM when its parent dies (``setpriv --pdeathsig``), and
``stop`` ends every process of its tree.
"""

from __future__ import annotations

import fcntl
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
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

LOOPBACK: Final = "127.0.0.1"
POLL_INTERVAL_S: Final = 0.05
LOG_TAIL_LINES: Final = 15
MIN_PORT: Final = 10_000
EPHEMERAL_PORT_RANGE: Final = Path("/proc/sys/net/ipv4/ip_local_port_range")
DEFAULT_FIRST_EPHEMERAL_PORT: Final = 32_768
# Ports that `free_ports` has returned in this process.
_given_ports: set[int] = set()


class ServerError(Exception):
    """A private server is missing, does not start or does not end."""


def free_ports(count: int) -> list[int]:
    """Unused ports of the loopback interface.

    They lie below the ephemeral range, so that no outgoing connection takes one before
    its server listens. No port is returned twice, in no process of this user while the
    caller lives: the server of an earlier caller may not listen yet.
    """
    ports: list[int] = []
    while len(ports) < count:
        port = MIN_PORT + secrets.randbelow(_first_ephemeral_port() - MIN_PORT)
        if port not in _given_ports and _is_free(port) and _reserve(port):
            _given_ports.add(port)
            ports.append(port)
    return ports


def _is_free(port: int) -> bool:
    try:
        socket.create_server((LOOPBACK, port)).close()
    except OSError:
        return False
    return True


def _reserve(port: int) -> bool:
    """Lock a port for this process, unless another one has been given it."""
    try:
        fcntl.lockf(_reservations(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except BlockingIOError:
        return False
    return True


@cache
def _reservations() -> int:
    """Open the file in which each port has a byte to lock.

    The kernel releases the locks when the process ends.
    """
    path = Path(tempfile.gettempdir()) / f"clp-ports-{os.getuid()}"
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def _first_ephemeral_port() -> int:
    try:
        first = int(EPHEMERAL_PORT_RANGE.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return DEFAULT_FIRST_EPHEMERAL_PORT
    # Where the ephemeral range covers nearly all ports, random choice has to do.
    return max(first, 2 * MIN_PORT)


def can_connect(port: int) -> bool:
    """Whether a server listens on a loopback port."""
    try:
        socket.create_connection((LOOPBACK, port), timeout=1).close()
    except OSError:
        return False
    return True


def wait_until(
    done: Callable[[], bool], seconds: float, error_text: Callable[[], str]
) -> None:
    """Poll until a condition holds.

    Raises:
        ServerError: with ``error_text()`` when it does not hold in time.
    """
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            raise ServerError(error_text())
        time.sleep(POLL_INTERVAL_S)


@contextmanager
def server_directory() -> Iterator[Path]:
    """A temporary directory that a server's account can traverse."""
    directory = Path(tempfile.mkdtemp(prefix="clp-servers-"))
    directory.chmod(0o755)
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def account_for(preferred: str) -> str | None:
    """The account to run a server under; None keeps ours, root is never used."""
    if os.geteuid() != 0:
        return None
    accounts = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in (preferred, "nobody") if name in accounts)


def create_directory_for(directory: Path, account: str | None) -> None:
    """Create a directory owned by an account.

    Raises:
        ServerError: when the account cannot traverse a parent directory.
    """
    directory.mkdir(parents=True, exist_ok=True)
    if account is None:
        return
    entry = pwd.getpwnam(account)
    os.chown(directory, entry.pw_uid, entry.pw_gid)
    for parent in directory.resolve().parents:
        if not parent.stat().st_mode & stat.S_IXOTH:
            raise ServerError(
                f"{account} cannot reach {directory}: {parent} is closed to others; "
                "use a directory from server_directory()"
            )


class ServerProcess:
    """One child process with its log and its descendants."""

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
        self.require_stopped()
        with self._log.open("ab") as log:
            self._child = subprocess.Popen(  # noqa: S603 - fixed commands
                self._command,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self._log.parent,
                start_new_session=True,
            )

    def require_stopped(self) -> None:
        if self.is_running:
            raise ServerError(f"{self._command} is already running")

    def stop(self, signal_number: signal.Signals, seconds: float) -> None:
        """Send a signal, then SIGKILL to what is left of the tree after a timeout."""
        if self._child is None:
            return
        tree = _process_tree(self._child.pid)
        if self.is_running:
            self._child.send_signal(signal_number)
        deadline = time.monotonic() + seconds
        while self._is_alive(tree) and time.monotonic() < deadline:
            time.sleep(POLL_INTERVAL_S)
        for pid, started_at in tree.items():
            if _start_time(pid) == started_at:
                _kill(pid)
        wait_until(lambda: not self._is_alive(tree), 10, lambda: f"{tree} do not end")
        self._child = None

    def log_tail(self) -> str:
        """The last lines of the log, for error messages."""
        lines = self._log.read_text(errors="replace").splitlines()
        return "\n".join(lines[-LOG_TAIL_LINES:])

    def _is_alive(self, tree: Mapping[int, str]) -> bool:
        return self.is_running or any(
            _start_time(p) == started_at for p, started_at in tree.items()
        )


def as_account(account: str | None) -> list[str]:
    """The command prefix that changes the account and binds the child to this one."""
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        if account is not None:
            raise ServerError("setpriv (package util-linux) is missing")
        return []
    command = [setpriv, "--pdeathsig", "TERM"]
    if account is not None:
        command += ["--reuid", account, "--regid", str(pwd.getpwnam(account).pw_gid)]
        command += ["--clear-groups"]
    return [*command, "--"]


def _process_tree(root: int) -> dict[int, str]:
    """A process and its descendants, by pid, each with its start time.

    The start time tells a process from a later one with the same pid.
    """
    parents = {int(p.name): _parent(int(p.name)) for p in _processes()}
    tree = {root}
    while grown := {pid for pid, up in parents.items() if up in tree} - tree:
        tree |= grown
    return {pid: started_at for pid in tree if (started_at := _start_time(pid))}


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


def _start_time(pid: int) -> str:
    fields = _stat(pid)
    return fields[19] if fields else ""


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
