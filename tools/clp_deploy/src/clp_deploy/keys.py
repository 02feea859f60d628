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
    UnusableKey,
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
    """Generate missing keys: a folder for each holder, with mode 0700.

    Existing keys are kept and trusted, also where a holder or a list was added or lost.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for holder in HOLDERS:
        (folder / holder).mkdir(exist_ok=True, mode=0o700)
    before = _trusted(folder)
    trusted = dict(before)
    for name in ISSUERS:
        trusted |= _kept(folder, name) or _make(folder, name)
    if trusted != before or not all(path.exists() for path in _lists(folder)):
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
    content = private_pem(new_key())
    files = [place / f"{name}{suffix}.pem" for place in _places(folder, name)]
    for file in files:
        _put(file, content)
    return _entry(files[0], name)


def _kept(folder: Path, name: str) -> dict[str, Any]:
    """Give the key of an issuer to each of its holders; return what trusts it."""
    files = [place / f"{name}.pem" for place in _places(folder, name)]
    content = next((file.read_bytes() for file in files if file.exists()), None)
    if content is None:
        return {}
    for file in files:
        if not file.exists():
            _put(file, content)
    return _entry(files[0], name)


def _entry(file: Path, name: str) -> dict[str, Any]:
    key = Issuer.from_file(file, now).public_key
    entry = {
        "public_key": public_pem(key),
        "kinds": ["person" if name == PEOPLE else "service"],
        "subjects": None if name == PEOPLE else [name],
    }
    return {key_id(name, key): entry}


def _id_of(path: Path, name: str) -> str:
    if not path.exists():
        return ""
    return key_id(name, Issuer.from_file(path, now).public_key)


def _lists(folder: Path) -> Iterator[Path]:
    return (folder / holder / TRUSTED for holder in HOLDERS)


def _trusted(folder: Path) -> dict[str, Any]:
    """The public keys of the first list that exists; none without one."""
    for path in _lists(folder):
        if path.exists():
            try:
                trusted: dict[str, Any] = json.loads(path.read_text())
            except ValueError:
                remedy = "delete it, and the list of another holder is taken"
                raise UnusableKey(f"{path}: is damaged; {remedy}") from None
            return trusted
    return {}


def _put_trusted(folder: Path, trusted: dict[str, Any]) -> None:
    content = json.dumps(trusted, indent=1).encode()
    for path in _lists(folder):
        _put(path, content)


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
        "--next": "generate the next key of an issuer",
        "--switch": "make its next key current",
        "--forget-old": "trust no older key of it",
    }
    for option, text in helps.items():
        step_group.add_argument(option, metavar="NAME", choices=ISSUERS, help=text)
    args = parser.parse_args()
    folder: Path = args.folder
    rotated = [(act, getattr(args, step)) for step, act in steps.items()]
    with in_one_line():
        if any(name for _, name in rotated) and not _trusted(folder):
            raise SystemExit(f"{folder} holds no keys; make them without an option")
        write_keys(folder)
        for act, name in rotated:
            if name is not None:
                act(folder, name)
    sys.stdout.write(f"{folder} holds keys of {', '.join(HOLDERS)}\n")


if __name__ == "__main__":
    main()
