"""Checks of `make up` before it writes anything; a refusal is a line with a remedy."""

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from clp_chassis.setting_kinds import ADDRESS, parse_address
from clp_chassis.settings import shared_ports, unknown_settings
from clp_contracts.broker_users import BROKER_USERS
from clp_deploy.environments import all_settings

LOCK: Final = "up.lock"
# Set by `addresses.env`: this shell operates a system, and would share its servers.
ADDRESSES_OF: Final = "CLP_UP_ADDRESSES"
OWN: Final = (ADDRESSES_OF, "CLP_UP_DATA")


def refuse_unsafe(data_dir: Path, environ: Mapping[str, str]) -> None:
    """Refuse an environment or a folder that would harm a system.

    Raises:
        SystemExit: with what is wrong and what to do.
    """
    if place := environ.get(ADDRESSES_OF):
        raise SystemExit(
            f"this shell has the addresses of the system in {place}; start another one"
            " in a new shell, or `unset ${!CLP_*}` first"
        )
    problems = [*_unknown_names(environ), *_shared_ports(environ)]
    if problems:
        raise SystemExit("\n".join(problems))
    if "CLP_PROJECTS_DATABASE_URL" not in environ:
        _refuse_closed_folder(data_dir)


def _unknown_names(environ: Mapping[str, str]) -> Iterator[str]:
    known = {
        name
        for described in all_settings().values()
        for one in described
        for name in (one.variable, one.shared_variable)
    }
    known |= {
        f"CLP_{user.upper()}_{what}_URL"
        for user in BROKER_USERS
        for what in ("BROKER", "MIGRATION")
    }
    names = (name for name in environ if name not in OWN)
    return unknown_settings(names, known, otherwise="unset it")


def _shared_ports(environ: Mapping[str, str]) -> Iterator[str]:
    addresses: list[tuple[str, str]] = []
    for described in all_settings().values():
        for one in described:
            text = environ.get(one.variable, "")
            if one.setting.kind is not ADDRESS or not text:
                continue
            try:
                parse_address(text)
            except ValueError:
                yield f"{one.variable}: {text!r} is not usable; expected HOST:PORT"
            else:
                addresses.append((one.variable, text))
    yield from shared_ports(addresses)


def _refuse_closed_folder(data_dir: Path) -> None:
    """Root starts PostgreSQL under its account, which has to reach its rows."""
    if os.geteuid() != 0:
        return
    for folder in (data_dir, *data_dir.parents):
        if folder.exists() and not folder.stat().st_mode & 0o001:
            raise SystemExit(
                f"root runs PostgreSQL as another account, and {folder} is closed to"
                " it: name a folder that it can reach, CLP_UP_DATA=/srv/clp make up,"
                f" or `chmod o+x {folder}`"
            )


def lock_data_dir(data_dir: Path, cleanup: ExitStack) -> None:
    """Keep the data folder for this process until it ends.

    Raises:
        SystemExit: another system runs in it, or it cannot be written.
    """
    try:
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o755)
        file = cleanup.enter_context((data_dir / LOCK).open("a"))
    except OSError as error:
        raise SystemExit(f"{data_dir}: {error.strerror}; name another --data") from None
    if not _take(file.fileno()):
        raise SystemExit(
            f"a system runs in {data_dir}: stop it with Ctrl-C where it was started, or"
            " name another folder, CLP_UP_DATA=…"
        )


def require_running(data_dir: Path) -> None:
    """Refuse a command for a system where none runs.

    Raises:
        SystemExit: with how to start one, or to name another folder.
    """
    try:
        with (data_dir / LOCK).open("r") as file:
            runs = not _take(file.fileno())
    except OSError:
        runs = False
    if not runs:
        raise SystemExit(
            f"no system runs in {data_dir}: start one with `make up`, or name its"
            " folder with --data"
        )


def _take(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
