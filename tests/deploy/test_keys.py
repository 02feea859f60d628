"""Passport keys are exchanged while everything runs, and nobody is refused on the way."""

import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from clp_chassis.security.passports import Issuer, Verifier
from clp_contracts.errors import Refused
from clp_contracts.methods import PassportKind
from clp_deploy import keys

SERVICES = frozenset({PassportKind.SERVICE})


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 25, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def a_moment_later(self) -> None:
        self.at += timedelta(seconds=5)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    keys.write_keys(tmp_path / "keys")
    return tmp_path / "keys"


def test_nobody_is_refused_while_a_key_is_exchanged(folder: Path, clock: Clock) -> None:
    issuer = Issuer.from_file(folder / "messages.pem", clock)
    passport = issuer.for_service("messages")
    verifier = Verifier.from_file(folder / "trusted.json", clock)
    seen = {passport()}
    for step in (keys.add_next, keys.switch, keys.forget_old):
        step(folder, "messages")
        assert verifier.verify(passport(), SERVICES).subject == "messages"
        clock.a_moment_later()
        seen.add(passport())
        assert verifier.verify(passport(), SERVICES).subject == "messages"
    assert len(seen) == 2, "the switch makes another passport, the other steps do not"


def test_a_forgotten_key_is_refused_though_it_was_seen_before(
    folder: Path, clock: Clock
) -> None:
    stolen = Issuer.from_file(folder / "messages.pem", clock).issue(
        "messages", PassportKind.SERVICE
    )
    verifier = Verifier.from_file(folder / "trusted.json", clock)
    verifier.verify(stolen, SERVICES)
    keys.add_next(folder, "messages")
    keys.switch(folder, "messages")
    clock.a_moment_later()
    assert verifier.verify(stolen, SERVICES), "it is trusted until it is forgotten"
    keys.forget_old(folder, "messages")
    clock.a_moment_later()
    with pytest.raises(Refused, match=r"passport\.refused"):
        verifier.verify(stolen, SERVICES)


def test_forgetting_one_name_leaves_the_others(folder: Path) -> None:
    before = set(json.loads((folder / "trusted.json").read_text()))
    keys.forget_old(folder, "messages")
    assert set(json.loads((folder / "trusted.json").read_text())) == before


def test_a_next_key_is_trusted_for_its_own_name_only(
    folder: Path, clock: Clock
) -> None:
    keys.add_next(folder, "search")
    forger = Issuer.from_file(folder / "search.next.pem", clock)
    with pytest.raises(Refused, match=r"passport\.refused"):
        Verifier.from_file(folder / "trusted.json", clock).verify(
            forger.issue("messages", PassportKind.SERVICE), SERVICES
        )


def test_a_broken_list_of_keys_leaves_the_last_good_one_in_force(
    folder: Path, clock: Clock
) -> None:
    verifier = Verifier.from_file(folder / "trusted.json", clock)
    passport = Issuer.from_file(folder / "search.pem", clock).for_service("search")
    for broken in ('{"half', "{}[]", '{"search-1": {}}', "7"):
        (folder / "trusted.json").write_text(broken)
        clock.a_moment_later()
        assert verifier.verify(passport(), SERVICES).subject == "search"


def test_a_switch_without_a_next_key_says_what_to_do(folder: Path) -> None:
    with pytest.raises(SystemExit, match="--next search"):
        keys.switch(folder, "search")


def test_keys_are_for_nobody_elses_eyes(folder: Path) -> None:
    keys.add_next(folder, "search")
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
