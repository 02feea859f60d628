"""What can be asked of a system that is up: more processes, new ones, a passport."""

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from clp_chassis.clock import now
from clp_chassis.passports import Issuer
from clp_contracts.methods import PassportKind
from clp_suite.up.notes import change_copies, read_copies, read_status


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
    """Replace processes one after the other, each after its work."""
    data: Path = given.data
    for kind in given.types:
        for name in sorted(read_status(data)):
            if name.partition(".")[0] == kind:
                _replace(name, data)
    status(given)


def status(given: argparse.Namespace) -> None:
    """Which processes run, and where each shows how it is."""
    for name, facts in sorted(read_status(given.data).items()):
        shown = facts["observe"]
        how = ("ready" if _is_ready(facts) else "not ready") if shown else ""
        sys.stdout.write(
            f"{name:<18}pid {facts['pid']:<9}starts {facts['starts']:<5}"
            f"{shown:<18}{how}\n"
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
    facts = read_status(data).get(name)
    return facts is not None and _is_ready(facts)


def _is_ready(facts: Mapping[str, Any]) -> bool:
    try:
        with urlopen(f"http://{facts['observe']}/ready", timeout=5) as answer:
            return bool(answer.status == HTTPStatus.OK)
    except OSError:
        return False


def _wait(holds: Callable[[], bool], seconds: float = 120.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise SystemExit("this takes longer than expected; is the system up?")
        time.sleep(0.1)
