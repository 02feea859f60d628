"""Passport keys are rotated while every process runs, without a refused call."""

import json
import shutil
import stat
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from clp_chassis.security.passports import Issuer, Verifier
from clp_contracts.errors import Refused
from clp_contracts.methods import PassportKind
from clp_deploy import keys

SERVICES = frozenset({PassportKind.SERVICE})


class Clock:
    """A clock that a test advances."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 25, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def advance(self) -> None:
        self.at += timedelta(seconds=5)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    keys.write_keys(tmp_path / "keys")
    return tmp_path / "keys"


def verifier_of(folder: Path, clock: Clock) -> Verifier:
    return Verifier.from_file(
        folder / "search" / "trusted.json", clock, audience="messages"
    )


def test_no_passport_is_refused_while_a_key_is_rotated(
    folder: Path, clock: Clock
) -> None:
    issuer = Issuer.from_file(folder / "messages" / "messages.pem", clock)
    passport = issuer.for_service("messages")
    verifier = verifier_of(folder, clock)
    seen = {passport("messages")}
    for step in (keys.add_next, keys.switch, keys.forget_old):
        step(folder, "messages")
        assert verifier.verify(passport("messages"), SERVICES).subject == "messages"
        clock.advance()
        seen.add(passport("messages"))
        assert verifier.verify(passport("messages"), SERVICES).subject == "messages"
    assert len(seen) == 2, "only the switch changes the passport"


def test_a_forgotten_key_is_refused_after_it_was_accepted(
    folder: Path, clock: Clock
) -> None:
    stolen = Issuer.from_file(folder / "messages" / "messages.pem", clock).issue(
        "messages", PassportKind.SERVICE, audience="messages"
    )
    verifier = verifier_of(folder, clock)
    verifier.verify(stolen, SERVICES)
    keys.add_next(folder, "messages")
    keys.switch(folder, "messages")
    clock.advance()
    assert verifier.verify(stolen, SERVICES), "trusted until forgotten"
    keys.forget_old(folder, "messages")
    clock.advance()
    with pytest.raises(Refused, match=r"passport\.refused"):
        verifier.verify(stolen, SERVICES)


def test_forgetting_a_key_keeps_the_other_issuers(folder: Path) -> None:
    before = set(json.loads((folder / "search" / "trusted.json").read_text()))
    keys.forget_old(folder, "messages")
    assert set(json.loads((folder / "search" / "trusted.json").read_text())) == before


def test_a_next_key_is_trusted_for_its_own_issuer_only(
    folder: Path, clock: Clock
) -> None:
    keys.add_next(folder, "search")
    forger = Issuer.from_file(folder / "search" / "search.next.pem", clock)
    with pytest.raises(Refused, match=r"passport\.refused"):
        verifier_of(folder, clock).verify(
            forger.issue("messages", PassportKind.SERVICE, audience="messages"),
            SERVICES,
        )


def test_a_broken_list_of_keys_keeps_the_last_valid_one(
    folder: Path, clock: Clock
) -> None:
    verifier = verifier_of(folder, clock)
    passport = Issuer.from_file(folder / "search" / "search.pem", clock).for_service(
        "search"
    )
    for broken in ('{"half', "{}[]", '{"search-1": {}}', "7"):
        (folder / "search" / "trusted.json").write_text(broken)
        clock.advance()
        assert verifier.verify(passport("messages"), SERVICES).subject == "search"


def test_a_switch_without_a_next_key_names_the_command(folder: Path) -> None:
    with pytest.raises(SystemExit, match="--next search"):
        keys.switch(folder, "search")


@pytest.mark.parametrize(
    "lost", ["projects/trusted.json", "portal/people.pem", "gateway", "search"]
)
def test_keys_that_exist_are_kept_when_some_are_missing(
    folder: Path, lost: str
) -> None:
    """A version with one more service finds keys, too, and none for the new one."""
    before = {path: path.read_bytes() for path in folder.glob("*/*.pem")}
    trusted = json.loads((folder / "messages" / "trusted.json").read_text())
    place = folder / lost
    shutil.rmtree(place) if place.is_dir() else place.unlink()
    keys.write_keys(folder)
    after = {path: path.read_bytes() for path in folder.glob("*/*.pem")}
    assert after.keys() == before.keys()
    changed = {path for path in before if before[path] != after[path]}
    assert changed == ({folder / "search/search.pem"} if lost == "search" else set())
    for path in folder.glob("*/trusted.json"):
        assert trusted.items() <= json.loads(path.read_text()).items()
    assert len(list(folder.glob("*/trusted.json"))) == len(keys.HOLDERS)


def run(*arguments: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The one line with which the command ends."""
    monkeypatch.setattr(sys, "argv", ["keys", *arguments])
    with pytest.raises(SystemExit) as ended:
        keys.main()
    (line,) = str(ended.value).splitlines()
    return line


def test_a_rotation_elsewhere_creates_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for option in ("--next", "--switch", "--forget-old"):
        arguments = (str(tmp_path / "mistyped"), option, "search")
        assert "holds no keys" in run(*arguments, monkeypatch=monkeypatch)
    assert not list(tmp_path.iterdir())


def test_a_damaged_list_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "projects" / "trusted.json").write_text('{"half')
    line = run(str(folder), monkeypatch=monkeypatch)
    assert line.startswith(f"{folder}/projects/trusted.json: is damaged; delete it")


def test_keys_are_readable_by_their_owner_only(folder: Path) -> None:
    keys.add_next(folder, "search")
    modes = {stat.S_IMODE(path.stat().st_mode) for path in folder.glob("*/*")}
    assert modes == {0o600}
    folders = [folder, *folder.iterdir()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folders} == {0o700}


def test_t27_a_holder_has_its_own_private_keys_and_all_public_ones(
    folder: Path,
) -> None:
    trusted = {path.read_text() for path in folder.glob("*/trusted.json")}
    assert len(trusted) == 1, "every holder trusts the same issuers"
    issuers = {kid.rpartition("-")[0] for kid in json.loads(trusted.pop())}
    assert issuers == set(keys.ISSUERS)
    for holder in folder.iterdir():
        private = {path.stem for path in holder.glob("*.pem")}
        assert private == set(keys.HOLDERS[holder.name])


def test_t27_a_key_vouches_for_its_own_kind_and_name_only(
    folder: Path, clock: Clock
) -> None:
    verifier = verifier_of(folder, clock)
    for holder, own in keys.HOLDERS.items():
        for name in own:
            issuer = Issuer.from_file(folder / holder / f"{name}.pem", clock)
            for subject in (*keys.HOLDERS, "ivy", "robot"):
                for kind in PassportKind:
                    token = issuer.issue(subject, kind, audience="messages")
                    allowed = (
                        kind is PassportKind.PERSON
                        if name == keys.PEOPLE
                        else (kind, subject) == (PassportKind.SERVICE, name)
                    )
                    assert accepts(verifier, token) == allowed, (name, subject, kind)


def accepts(verifier: Verifier, token: str) -> bool:
    try:
        verifier.verify(token, frozenset(PassportKind))
    except Refused:
        return False
    return True
