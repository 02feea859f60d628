"""What can be asked of a system that is up: more processes, new ones, a passport."""

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from clp_chassis.clock import now
from clp_chassis.passports import Issuer
from clp_chassis.pulse import complaint
from clp_contracts.methods import PassportKind
from clp_suite.up.house import pulse_file
from clp_suite.up.supervisor import change_copies, read_copies, read_status


def scale(given: argparse.Namespace) -> None:
    """Have more or fewer processes; those that go finish their work first."""
    data: Path = given.data
    change_copies(data, dict(given.copies))
    wanted = {
        f"{name}.{copy}"
        for name, copies in read_copies(data).items()
        for copy in range(copies)
    }
    _wait(lambda: {name for name in read_status(data) if "." in name} == wanted)
    _wait(lambda: all(_takes_work(name, data) for name in wanted))
    status(given)


def restart(given: argparse.Namespace) -> None:
    """Replace the processes of a type one after the other, each after its work."""
    data: Path = given.data
    for name in sorted(read_status(data)):
        if name.partition(".")[0] == given.type:
            _replace(name, data)
    status(given)


def status(given: argparse.Namespace) -> None:
    """Which processes run."""
    data: Path = given.data
    for name, facts in sorted(read_status(data).items()):
        state = complaint(str(pulse_file(data, name)), running=True)
        sys.stdout.write(
            f"{name:<18}pid {facts['pid']:<9}starts {facts['starts']:<5}"
            f"{state if '.' in name else ''}\n"
        )


def passport(given: argparse.Namespace) -> None:
    """Make a passport that is good for two minutes."""
    issuer = Issuer.from_file(given.data / "keys" / "gateway.pem", now)
    sys.stdout.write(issuer.issue(given.subject, PassportKind(given.kind)) + "\n")


def _replace(name: str, data: Path) -> None:
    before = read_status(data)[name]["pid"]
    os.kill(before, signal.SIGTERM)
    _wait(lambda: read_status(data).get(name, {"pid": before})["pid"] != before)
    _wait(lambda: _takes_work(name, data))


def _takes_work(name: str, data: Path) -> bool:
    return not complaint(str(pulse_file(data, name)), running=True)


def _wait(holds: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise SystemExit("nothing happened in a minute; is the system up?")
        time.sleep(0.1)
