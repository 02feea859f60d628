"""What can be asked of a system that is up: more processes, new ones, a passport."""

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from clp_chassis.clock import now
from clp_chassis.security.passports import Issuer
from clp_contracts.methods import PassportKind
from clp_deploy.processes import PROCESS_TYPES, ProcessType
from clp_suite.up.state_files import change_copies, read_copies, read_status


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
    """Replace processes one after the other, each after its work.

    Of a type that keeps nothing of its own there is one more meanwhile, so that calls
    are answered all the time.
    """
    data: Path = given.data
    for process_type in PROCESS_TYPES:
        if process_type.name in given.types:
            copies = read_copies(data)[process_type.name]
            with _one_more(process_type, data):
                for copy in range(copies):
                    _replace(f"{process_type.name}.{copy}", data)
    status(given)


@contextmanager
def _one_more(process_type: ProcessType, data: Path) -> Iterator[None]:
    kind = process_type.name
    copies = read_copies(data)[kind]
    if process_type.migrates and copies:
        change_copies(data, {kind: copies + 1})
        _wait(lambda: _takes_work(f"{kind}.{copies}", data))
        yield
        change_copies(data, {kind: copies})
        _wait(lambda: f"{kind}.{copies}" not in read_status(data))
    else:
        yield


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
