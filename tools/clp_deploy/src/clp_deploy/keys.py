"""Passport keys of a deployment: generate and rotate them."""

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

SERVICES: Final = ("projects", "messages", "search", "notifications", "portal")
GATEWAY: Final = "gateway"
OPERATIONS: Final = "operations"
# Held by the portal: passports of the people who signed in, and of nobody else.
PEOPLE: Final = "people"
NAMES: Final = (*SERVICES, OPERATIONS, GATEWAY, PEOPLE)
# What an issuer may state, where that is more than its own service.
KINDS: Final = {GATEWAY: ["person", "service"], PEOPLE: ["person"]}
TRUSTED: Final = "trusted.json"


def write_keys(folder: Path) -> Issuer:
    """Generate missing keys and return the issuer of the gateway.

    A service and operations issue passports for themselves only; the gateway issues
    them for people and for services of other teams, the key ``people`` for people only.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not (folder / TRUSTED).exists():
        trusted: dict[str, Any] = {}
        for name in NAMES:
            trusted |= _make(folder / f"{name}.pem", name)
        _put(folder / TRUSTED, json.dumps(trusted, indent=1).encode())
    return Issuer.from_file(folder / f"{GATEWAY}.pem", now)


def add_next(folder: Path, name: str) -> None:
    """Generate the next key of an issuer and trust it beside the current one."""
    fresh = _make(folder / f"{name}.next.pem", name)
    _put(folder / TRUSTED, json.dumps(_trusted(folder) | fresh, indent=1).encode())


def switch(folder: Path, name: str) -> None:
    """Make the next key current; processes read it within seconds.

    Raises:
        SystemExit: when there is no next key.
    """
    following = folder / f"{name}.next.pem"
    if not following.exists():
        raise SystemExit(f"{name} has no next key: make one with --next {name}")
    following.replace(folder / f"{name}.pem")


def forget_old(folder: Path, name: str) -> None:
    """Withdraw trust from every key of an issuer but the current and the next one."""
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
        "kinds": KINDS.get(name, ["service"]),
        "subjects": None if name in KINDS else [name],
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
    """Replace a file atomically, with mode 0600: processes read it meanwhile."""
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)
    part.touch(mode=0o600)
    part.write_bytes(content)
    part.replace(path)


def main() -> None:
    """``python -m clp_deploy.keys FOLDER``: generate or rotate keys."""
    parser = argparse.ArgumentParser(
        prog="python -m clp_deploy.keys",
        description="Generate a key for each issuer and the list of trusted public "
        "keys. Existing keys are kept.",
        epilog="To rotate a key: --next NAME, copy trusted.json to every host, "
        "--switch NAME, wait three minutes, --forget-old NAME. No restart is needed.",
    )
    parser.add_argument("folder", type=Path)
    steps: dict[str, Callable[[Path, str], None]] = {
        "next": add_next,
        "switch": switch,
        "forget_old": forget_old,
    }
    step_group = parser.add_mutually_exclusive_group()
    helps = {
        "--next": "generate its next key",
        "--switch": "make the next key current",
        "--forget-old": "trust no older key",
    }
    for option, text in helps.items():
        step_group.add_argument(option, metavar="NAME", choices=NAMES, help=text)
    args = parser.parse_args()
    folder: Path = args.folder
    write_keys(folder)
    for step, act in steps.items():
        if (name := getattr(args, step)) is not None:
            act(folder, name)
    sys.stdout.write(f"{folder} holds {', '.join(NAMES)}\n")


if __name__ == "__main__":
    main()
