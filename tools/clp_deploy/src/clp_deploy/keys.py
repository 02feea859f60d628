"""Passport keys of a deployment: one folder for each holder, generated and rotated.

``FOLDER/HOLDER`` has the private keys that the holder issues passports with, and the
public keys of every issuer (``trusted.json``). Nobody holds a key of another one (T27).
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from clp_chassis.clock import now
from clp_chassis.one_line_errors import in_one_line
from clp_chassis.security.passports import (
    Issuer,
    key_id,
    new_key,
    private_pem,
    public_pem,
)
from clp_contracts.broker_users import DIRECTORY, GATEWAY, OPERATIONS, SERVICES
from clp_contracts.methods import PassportKind

# Issues passports of people, of any person and of nobody else.
PEOPLE: Final = "people"
ISSUERS: Final = (*SERVICES, DIRECTORY, OPERATIONS, PEOPLE)
# The issuers whose private keys a holder has: the portal and a platform team's own
# gateway sign people in.
HOLDERS: Final = {
    **{name: (name,) for name in (*SERVICES, DIRECTORY, OPERATIONS)},
    "portal": ("portal", PEOPLE),
    GATEWAY: (PEOPLE,),
}
TRUSTED: Final = "trusted.json"


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Every private key of a deployment on one host, for suites and tests."""

    folder: Path

    def issuer(self, subject: str, kind: PassportKind) -> Issuer:
        """The issuer that vouches for a person, or for a service itself.

        Raises:
            LookupError: when no key vouches for a service of this name.
        """
        if kind is PassportKind.PERSON:
            return Issuer.from_file(self.folder / GATEWAY / f"{PEOPLE}.pem", now)
        if subject not in HOLDERS or subject == GATEWAY:
            raise LookupError(f"no key vouches for the service {subject!r}")
        return Issuer.from_file(self.folder / subject / f"{subject}.pem", now)

    def source(self, subject: str, kind: PassportKind) -> Callable[[str], str]:
        """A function that returns, for the name of a service, a passport for it."""
        return self.issuer(subject, kind).source(subject, kind)


def write_keys(folder: Path) -> KeyRing:
    """Generate missing keys: a folder for each holder, with mode 0700."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for holder in HOLDERS:
        (folder / holder).mkdir(exist_ok=True, mode=0o700)
    if not all((folder / holder / TRUSTED).exists() for holder in HOLDERS):
        trusted: dict[str, Any] = {}
        for name in ISSUERS:
            trusted |= _make(folder, name)
        _put_trusted(folder, trusted)
    return KeyRing(folder)


def add_next(folder: Path, name: str) -> None:
    """Generate the next key of an issuer and trust it beside the current one."""
    fresh = _make(folder, name, ".next")
    _put_trusted(folder, _trusted(folder) | fresh)


def switch(folder: Path, name: str) -> None:
    """Make the next key current; processes read it within seconds.

    Raises:
        SystemExit: when there is no next key.
    """
    for place in _places(folder, name):
        following = place / f"{name}.next.pem"
        if not following.exists():
            raise SystemExit(f"{name} has no next key: make one with --next {name}")
        following.replace(place / f"{name}.pem")


def forget_old(folder: Path, name: str) -> None:
    """Withdraw trust from every key of an issuer but the current and the next one."""
    place = next(_places(folder, name))
    kept = {_id_of(place / f"{name}{kind}.pem", name) for kind in ("", ".next")}
    trusted = {
        kid: entry
        for kid, entry in _trusted(folder).items()
        if kid in kept or kid.rpartition("-")[0] != name
    }
    _put_trusted(folder, trusted)


def _places(folder: Path, issuer: str) -> Iterator[Path]:
    """The folders of the holders of an issuer's private key."""
    return (folder / holder for holder, own in HOLDERS.items() if issuer in own)


def _make(folder: Path, name: str, suffix: str = "") -> dict[str, Any]:
    key = new_key()
    for place in _places(folder, name):
        _put(place / f"{name}{suffix}.pem", private_pem(key))
    entry = {
        "public_key": public_pem(key.public_key()),
        "kinds": ["person" if name == PEOPLE else "service"],
        "subjects": None if name == PEOPLE else [name],
    }
    return {key_id(name, key.public_key()): entry}


def _id_of(path: Path, name: str) -> str:
    if not path.exists():
        return ""
    return key_id(name, Issuer.from_file(path, now).public_key)


def _trusted(folder: Path) -> dict[str, Any]:
    path = folder / next(iter(HOLDERS)) / TRUSTED
    trusted: dict[str, Any] = json.loads(path.read_text())
    return trusted


def _put_trusted(folder: Path, trusted: dict[str, Any]) -> None:
    content = json.dumps(trusted, indent=1).encode()
    for holder in HOLDERS:
        _put(folder / holder / TRUSTED, content)


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
        description="Generate a folder of keys for each holder: its private keys and "
        "the public keys of all issuers. Existing keys are kept.",
        epilog="To rotate a key: --next NAME, copy each folder to its holder, "
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
        step_group.add_argument(option, metavar="NAME", choices=ISSUERS, help=text)
    args = parser.parse_args()
    folder: Path = args.folder
    with in_one_line():
        write_keys(folder)
        for step, act in steps.items():
            if (name := getattr(args, step)) is not None:
                act(folder, name)
    sys.stdout.write(f"{folder} holds keys of {', '.join(HOLDERS)}\n")


if __name__ == "__main__":
    main()
