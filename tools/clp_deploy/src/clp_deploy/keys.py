"""Keys for a suite: one for each service, and one that may vouch for anybody."""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from clp_chassis.clock import now
from clp_chassis.security.passports import (
    Issuer,
    key_id,
    new_key,
    private_pem,
    public_pem,
)

SERVICES: Final = ("projects", "messages", "search", "notifications")
GATEWAY: Final = "gateway"
OPERATIONS: Final = "operations"
NAMES: Final = (*SERVICES, OPERATIONS, GATEWAY)
TRUSTED: Final = "trusted.json"


def write_keys(folder: Path) -> Issuer:
    """Make keys where there are none; give the gateway's issuer.

    A service can vouch for itself only, and so can whoever operates them. The gateway
    vouches for people, for the robot and for services of other teams.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not (folder / TRUSTED).exists():
        trusted: dict[str, Any] = {}
        for name in NAMES:
            trusted |= _make(folder / f"{name}.pem", name)
        _put(folder / TRUSTED, json.dumps(trusted, indent=1).encode())
    return Issuer.from_file(folder / f"{GATEWAY}.pem", now)


def add_next(folder: Path, name: str) -> None:
    """Make the key that a name will use next, and trust it beside the one in use."""
    fresh = _make(folder / f"{name}.next.pem", name)
    _put(folder / TRUSTED, json.dumps(_trusted(folder) | fresh, indent=1).encode())


def switch(folder: Path, name: str) -> None:
    """Use the next key from now on; processes notice within seconds."""
    coming = folder / f"{name}.next.pem"
    if not coming.exists():
        raise SystemExit(f"{name} has no next key: make one with --next {name}")
    coming.replace(folder / f"{name}.pem")


def forget_old(folder: Path, name: str) -> None:
    """Trust no key of a name but the one in use, and the next if there is one."""
    kept = {_id_of(folder / f"{name}{kind}.pem", name) for kind in ("", ".next")}
    trusted = {
        kid: entry
        for kid, entry in _trusted(folder).items()
        if kid in kept or kid.rpartition("-")[0] != name
    }
    _put(folder / TRUSTED, json.dumps(trusted, indent=1).encode())


def _make(path: Path, name: str) -> dict[str, Any]:
    key = new_key()
    _put(path, private_pem(key))
    entry = {
        "public_key": public_pem(key.public_key()),
        "kinds": ["person", "robot", "service"] if name == GATEWAY else ["service"],
        "subjects": None if name == GATEWAY else [name],
    }
    return {key_id(name, key.public_key()): entry}


def _id_of(path: Path, name: str) -> str:
    if not path.exists():
        return ""
    return key_id(name, Issuer.from_file(path, now).public_key)


def _trusted(folder: Path) -> dict[str, Any]:
    trusted: dict[str, Any] = json.loads((folder / TRUSTED).read_text())
    return trusted


def _put(path: Path, content: bytes) -> None:
    """Whole or not at all, for nobody else's eyes: processes read while we write."""
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)
    part.touch(mode=0o600)
    part.write_bytes(content)
    part.replace(path)


def main() -> None:
    """``python -m clp_deploy.keys FOLDER``: make or exchange keys of a deployment."""
    asked = argparse.ArgumentParser(
        prog="python -m clp_deploy.keys",
        description="Make a key for each service, one for the gateway, and the list of "
        "trusted ones. Keys that are there already are kept.",
        epilog="To exchange a key: --next NAME, bring trusted.json to every host, "
        "--switch NAME, wait three minutes, --forget-old NAME. Nothing is restarted.",
    )
    asked.add_argument("folder", type=Path)
    steps: dict[str, Callable[[Path, str], None]] = {
        "next": add_next,
        "switch": switch,
        "forget_old": forget_old,
    }
    one = asked.add_mutually_exclusive_group()
    one.add_argument("--next", metavar="NAME", choices=NAMES, help="make its next key")
    one.add_argument("--switch", metavar="NAME", choices=NAMES, help="use the next key")
    one.add_argument(
        "--forget-old", metavar="NAME", choices=NAMES, help="trust no older key"
    )
    given = asked.parse_args()
    folder: Path = given.folder
    write_keys(folder)
    for step, act in steps.items():
        if (name := getattr(given, step)) is not None:
            act(folder, name)
    sys.stdout.write(f"{folder} holds {', '.join(NAMES)}\n")


if __name__ == "__main__":
    main()
