"""Dead incoming mails are listed, shown, redriven and discarded by operators."""

import stat
from dataclasses import replace
from pathlib import Path

import pytest

from clp_contracts import notifications as contract
from clp_contracts.errors import Refused
from clp_notifications.dependencies import Bounces
from clp_notifications.inbound.dead_letters import (
    MAX_HEADER_BYTES,
    dead_incoming,
    discard_incoming,
    redrive_incoming,
    show_dead_incoming,
)
from tests.services.notifications.bounce_reports import report
from tests.services.notifications.harness import DeliveryHarness, inbound_in
from tests.services.notifications.test_bounces import mailed_to_nat

MALFORMED = b"Subject: broken\r\nContent-Type: multipart/mixed\r\n\r\nsecret words\r\n"
REASON = "a multipart without a boundary"

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def folder(harness: DeliveryHarness, tmp_path: Path) -> Path:
    return inbound_in(harness, tmp_path / "incoming")


def put(folder: Path, name: str, raw: bytes = MALFORMED) -> None:
    for part in ("new", "dead"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    (folder / "dead" / name).write_bytes(raw)
    (folder / "dead" / f"{name}.reason").write_text(f"{REASON}\n")


def listed(
    harness: DeliveryHarness, after: str | None = None, limit: int = 100
) -> tuple[contract.DeadIncomingMail, ...]:
    request = contract.ListDeadIncoming(after=after, limit=limit)
    return dead_incoming(request, deps=harness.deps).mails


def test_a_mail_that_cannot_be_handled_is_listed_with_its_reason(
    harness: DeliveryHarness, folder: Path
) -> None:
    (folder / "new").mkdir(parents=True)
    (folder / "new" / "m1").write_bytes(b"X-A: " + b"a" * 400_000 + b"\r\n\r\n")
    assert harness.read_incoming() == 1
    (mail,) = listed(harness)
    assert (mail.id, mail.size) == ("m1", 400_009)
    assert mail.reason == (folder / "dead" / "m1.reason").read_text().strip() != ""
    assert mail.at.tzinfo is not None


def test_the_list_is_in_pages(harness: DeliveryHarness, folder: Path) -> None:
    for name in ("m3", "m1", "m2"):
        put(folder, name)
    assert [mail.id for mail in listed(harness)] == ["m1", "m2", "m3"]
    assert [mail.id for mail in listed(harness, limit=2)] == ["m1", "m2"]
    assert [mail.id for mail in listed(harness, after="m2")] == ["m3"]


def test_a_shown_mail_has_its_header_and_nothing_that_a_person_wrote(
    harness: DeliveryHarness, folder: Path
) -> None:
    put(folder, "m1")
    put(folder, "m2", b"X: " + b"x" * 2 * MAX_HEADER_BYTES)
    request = contract.IncomingMailRef(incoming_mail="m1")
    shown = show_dead_incoming(request, deps=harness.deps)
    assert shown.header == "Subject: broken\nContent-Type: multipart/mixed"
    assert (shown.id, shown.reason) == ("m1", REASON)
    request = contract.IncomingMailRef(incoming_mail="m2")
    shown = show_dead_incoming(request, deps=harness.deps)
    assert len(shown.header) == MAX_HEADER_BYTES


def test_a_redriven_mail_is_handled_once_more(
    harness: DeliveryHarness, folder: Path
) -> None:
    (mail,) = mailed_to_nat(harness)
    put(folder, "m1", report("5.1.1")(mail.sender).encode())
    put(folder, "m2")
    request = contract.RedriveIncoming(incoming_mail_ids=("m1", "m1"))
    assert redrive_incoming(request, deps=harness.deps).count == 1
    assert [one.id for one in listed(harness)] == ["m2"]
    assert harness.read_incoming() == 1
    assert {one.name for one in folder.rglob("m*")} == {"m2", "m2.reason"}


def test_all_are_redriven_when_none_is_named(
    harness: DeliveryHarness, folder: Path
) -> None:
    put(folder, "m1")
    put(folder, "m2")
    request = contract.RedriveIncoming()
    assert redrive_incoming(request, deps=harness.deps).count == 2
    assert listed(harness) == ()
    assert {one.name for one in (folder / "new").iterdir()} == {"m1", "m2"}


def test_a_discarded_mail_is_gone_with_its_reason(
    harness: DeliveryHarness, folder: Path
) -> None:
    put(folder, "m1")
    put(folder, "m2")
    request = contract.DiscardIncoming(incoming_mail_ids=("m1",))
    assert discard_incoming(request, deps=harness.deps).count == 1
    assert [path.name for path in sorted((folder / "dead").iterdir())] == [
        "m2",
        "m2.reason",
    ]


@pytest.mark.parametrize("name", ["m9", "../new/m0", "m1.reason", "", "."])
def test_only_dead_incoming_mails_are_touched(
    harness: DeliveryHarness, folder: Path, name: str
) -> None:
    put(folder, "m1")
    (folder / "new" / "m0").write_bytes(MALFORMED)
    ids = ("m1", name)
    calls = (
        lambda: discard_incoming(
            contract.DiscardIncoming(incoming_mail_ids=ids), deps=harness.deps
        ),
        lambda: redrive_incoming(
            contract.RedriveIncoming(incoming_mail_ids=ids), deps=harness.deps
        ),
        lambda: show_dead_incoming(
            contract.IncomingMailRef(incoming_mail=name), deps=harness.deps
        ),
    )
    for call in calls:
        with pytest.raises(Refused, match=r"incoming_mail\.missing") as refused:
            call()
        assert refused.value.detail == {"incoming_mails": [name]}
    assert len(list(folder.rglob("m*"))) == 3


def test_without_a_maildir_no_incoming_mail_is_dead(harness: DeliveryHarness) -> None:
    harness.deps = replace(harness.deps, bounces=Bounces())
    assert listed(harness) == ()


def test_a_dead_letter_and_its_reason_are_private(
    harness: DeliveryHarness, folder: Path
) -> None:
    (folder / "new").mkdir(parents=True)
    (folder / "new" / "m1").write_bytes(b"X-A: " + b"a" * 400_000 + b"\r\n\r\n")
    harness.read_incoming()
    assert stat.S_IMODE((folder / "dead").stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "dead" / "m1.reason").stat().st_mode) == 0o600
