"""Commands for a running system: scale, restart, status, passport."""

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

from clp_contracts.methods import PassportKind
from clp_deploy.keys import KeyRing
from clp_deploy.processes import PROCESS_TYPES, ProcessType
from clp_suite.up.state_files import change_copies, read_copies, read_status


def scale(args: argparse.Namespace) -> None:
    """Change the number of processes; those removed finish their work first."""
    data: Path = args.data
    change_copies(data, dict(args.copies))
    desired = {
        f"{name}.{copy}"
        for name, copies in read_copies(data).items()
        for copy in range(copies)
    }
    _wait(lambda: {name for name in read_status(data) if "." in name} == desired)
    _wait(lambda: all(_is_process_ready(name, data) for name in desired))
    status(args)


def restart(args: argparse.Namespace) -> None:
    """Replace processes one after the other, without an interruption of service.

    A stateless type gets one more process meanwhile, so that calls are always served.
    """
    data: Path = args.data
    for process_type in PROCESS_TYPES:
        if process_type.name in args.types:
            copies = read_copies(data)[process_type.name]
            with _surge(process_type, data):
                for copy in range(copies):
                    _replace(f"{process_type.name}.{copy}", data)
    status(args)


@contextmanager
def _surge(process_type: ProcessType, data: Path) -> Iterator[None]:
    kind = process_type.name
    copies = read_copies(data)[kind]
    if process_type.migrates and copies:
        change_copies(data, {kind: copies + 1})
        _wait(lambda: _is_process_ready(f"{kind}.{copies}", data))
        yield
        change_copies(data, {kind: copies})
        _wait(lambda: f"{kind}.{copies}" not in read_status(data))
    else:
        yield


def status(args: argparse.Namespace) -> None:
    """Show the running processes and their health addresses."""
    for name, facts in sorted(read_status(args.data).items()):
        address = facts["observe"]
        state = ("ready" if _is_ready(facts) else "not ready") if address else ""
        sys.stdout.write(
            f"{name:<18}pid {facts['pid']:<9}starts {facts['starts']:<5}"
            f"{address:<18}{state}\n"
        )


def passport(args: argparse.Namespace) -> None:
    """Issue a passport that is valid for two minutes."""
    kind = PassportKind(args.kind)
    issuer = KeyRing(args.data / "keys").issuer(args.subject, kind)
    sys.stdout.write(issuer.issue(args.subject, kind, audience=args.audience) + "\n")


def _replace(name: str, data: Path) -> None:
    before = read_status(data)[name]["pid"]
    os.kill(before, signal.SIGTERM)
    _wait(lambda: read_status(data).get(name, {"pid": before})["pid"] != before)
    _wait(lambda: _is_process_ready(name, data))


def _is_process_ready(name: str, data: Path) -> bool:
    facts = read_status(data).get(name)
    return facts is not None and _is_ready(facts)


def _is_ready(facts: Mapping[str, Any]) -> bool:
    try:
        with urlopen(f"http://{facts['observe']}/ready", timeout=5) as response:
            return bool(response.status == HTTPStatus.OK)
    except OSError:
        return False


def _wait(holds: Callable[[], bool], seconds: float = 120.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise SystemExit(f"not done after {seconds:g} s; is the system up?")
        time.sleep(0.1)
