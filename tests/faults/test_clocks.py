"""F8: the clock of a process is an hour off, then right again."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from clp_chassis.security.passports import Issuer, TrustedKey, Verifier, new_key
from clp_contracts.errors import CallFailed, Refused
from clp_contracts.methods import PassportKind
from clp_notifications.dependencies import MailPolicy
from tests.faults.conftest import FaultBed
from tests.faults.fault_run import drain, new_ack_log, until
from tests.faults.invariants import check_invariants
from tests.faults.load import PASSING, Client, Load, create_world
from tests.faults.process_group import LIBFAKETIME, ProcessGroup

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
KEY = new_key()
HOUR_S = 3600
# A mail is late by no more than this after the clock is right.
LATE_S = 60.0
# (whose clock, by how much)
WRONG = (
    ("delivery.0", HOUR_S),
    ("delivery.0", -HOUR_S),
    ("notifications.0", -HOUR_S),
    ("search.0", HOUR_S),
    ("search.0", -HOUR_S),
)


@pytest.mark.parametrize(
    ("apart", "response"),
    [(149, "nat"), (151, "passport.refused"), (-29, "nat"), (-31, "passport.refused")],
)
def test_a_passport_is_accepted_by_a_clock_half_a_minute_off_and_no_more(
    apart: int, response: str
) -> None:
    """A passport lives two minutes, with a tolerance of half a minute."""
    token = Issuer("gateway", KEY, lambda: NOON).issue(
        "nat", PassportKind.PERSON, audience="messages"
    )
    kinds = frozenset(PassportKind)
    there = NOON + timedelta(seconds=apart)
    trusted = {"gateway": TrustedKey(KEY.public_key(), kinds)}
    verifier = Verifier(trusted, lambda: there, audience="messages")

    assert _verdict(verifier, token, kinds) == response


def _verdict(verifier: Verifier, token: str, kinds: frozenset[PassportKind]) -> str:
    try:
        return verifier.verify(token, kinds).subject
    except Refused as refused:
        return refused.code


needs_faketime = pytest.mark.skipif(
    LIBFAKETIME is None, reason="NOT RUN: no libfaketime; install `faketime`"
)


@pytest.fixture
def own_clocks(bed: FaultBed) -> Iterator[None]:
    """Afterwards every process uses the machine's clock again."""
    yield
    bed.group.reset_clocks()
    until(lambda: all(map(bed.group.is_up, bed.group.names())), 90, "everybody up")


@pytest.mark.faults
@pytest.mark.slow
@needs_faketime
@pytest.mark.usefixtures("own_clocks")
def test_no_mail_is_lost_or_late_for_a_clock_that_was_wrong(
    bed: FaultBed, new_load: Callable[..., Load]
) -> None:
    group, load = bed.group, new_load(clients=2, each=4, projects=1, abandoned=0)
    ack_log = new_ack_log(group, load)
    create_world(group, load)
    for name, seconds in WRONG:
        group.set_clock(name, seconds)
        until(lambda who=name: group.is_up(who), 90, f"{name} up")
        for number in range(load.clients):
            Client(number, load, ack_log).work(group)
        group.set_clock(name, 0)
        print(f"{name} {seconds:+d} s: {drain(group, LATE_S):.1f} s until all was sent")
        load = load.again()

    drop_ineligible = check_invariants(group, load, ack_log, searches=20)
    assert not drop_ineligible.broken, drop_ineligible.broken
    assert (
        drop_ineligible.figures["duplicate mails"]
        <= drop_ineligible.figures["cut after acceptance"]
    )


@pytest.mark.faults
@pytest.mark.slow
@needs_faketime
@pytest.mark.usefixtures("own_clocks")
def test_a_service_whose_clock_is_ahead_refuses_and_serves_when_it_is_right(
    bed: FaultBed, new_load: Callable[..., Load]
) -> None:
    group, load = bed.group, new_load(projects=1)
    create_world(group, load)
    channel = f"{load.project(0)}/direct/north"
    group.set_clock("messages.0", HOUR_S)
    until(
        lambda: _code_of_post(group, channel, "ahead") not in PASSING, 90, "an answer"
    )
    assert _code_of_post(group, channel, "ahead") == "passport.refused"

    group.set_clock("messages.0", 0)

    until(lambda: _code_of_post(group, channel, "right") == "stored", LATE_S, "posting")
    page = group.client("ivy").messages.page(channel=channel)
    assert [message.text for message in page.messages] == ["right"]


def _code_of_post(group: ProcessGroup, channel: str, text: str) -> str:
    try:
        group.client("ivy").messages.post(channel=channel, text=text, key=text)
    except Refused as refused:
        return refused.code
    except CallFailed:
        return "service.unavailable"
    return "stored"


# (where the process stands, when its clocks are turned or its day ends)
JUMPS = (
    ("Europe/Berlin", "2026-03-29T01:00:00+00:00"),
    ("Europe/Berlin", "2026-10-25T01:00:00+00:00"),
    ("America/New_York", "2026-03-08T07:00:00+00:00"),
    ("UTC", "2027-01-01T00:00:00+00:00"),
)
# A process that moves its own clock to a second before, and says before and after what
# time it is, here and there, and when mails are due.
PLANNING = """
import os, sys, time
from datetime import datetime, timedelta
from pathlib import Path
from clp_chassis.clock import now
from clp_notifications.mail.content import Kind
from clp_notifications.dependencies import MailPolicy
from clp_notifications.states import MailMode
from clp_core.channels import Channel, ProjectId
from clp_notifications.routing.mail_assignment import MailRecipient, plan_mail

def say():
    at, policy, place = now(), MailPolicy(), time.localtime()
    one = MailRecipient(
        person="nat", kind=Kind.BROADCAST, message="m", channel=Channel(ProjectId("p")),
        since=at,
    )
    at_once = plan_mail(one, MailMode.AT_ONCE, policy).due_at - at
    batched = plan_mail(one, None, policy).due_at - at
    digest = plan_mail(one, MailMode.DAILY, policy).due_at
    print(at.isoformat(), at_once.total_seconds(), batched.total_seconds(),
          digest.isoformat(), f"{place.tm_mday}/{place.tm_hour}/{place.tm_gmtoff}")

jump = datetime.fromisoformat(sys.argv[1])
ahead = (jump - timedelta(seconds=1) - now()).total_seconds()
Path(os.environ["FAKETIME_TIMESTAMP_FILE"]).write_text(f"{ahead:+.3f}")
while now() < jump - timedelta(seconds=2):
    time.sleep(0.01)
say()
while now() < jump + timedelta(seconds=0.2):
    time.sleep(0.01)
say()
"""


@needs_faketime
@pytest.mark.parametrize(("zone", "jump"), JUMPS)
def test_mails_are_due_on_time_where_the_hours_of_a_place_jump(
    zone: str, jump: str, tmp_path: Path
) -> None:
    """All times are in UTC: a change to summer time moves no mail."""
    (first, *dues, digest, place), (later, *later_dues, later_digest, later_place) = (
        _lines_of_clock(zone, jump, tmp_path / "clock")
    )

    assert place != later_place, "the clocks of the place have jumped"
    gone = datetime.fromisoformat(later) - datetime.fromisoformat(first)
    assert timedelta(0) < gone < timedelta(seconds=30), "the time has not"
    assert dues == later_dues == ["0.0", str(MailPolicy().window.total_seconds())]
    for told, due in ((first, digest), (later, later_digest)):
        morning = datetime.fromisoformat(due)
        assert morning.hour == MailPolicy().digest_hour
        ahead = morning - datetime.fromisoformat(told)
        assert timedelta(0) < ahead <= timedelta(days=1), "one a day, and no day longer"


def _lines_of_clock(zone: str, jump: str, clock: Path) -> list[list[str]]:
    clock.write_text("+0")
    environ = {
        "LD_PRELOAD": str(LIBFAKETIME),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "TZ": zone,
    }
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PLANNING, jump],
        env=os.environ | environ,
        capture_output=True,
        text=True,
        check=True,
    )
    return [line.split() for line in ran.stdout.splitlines()]


@needs_faketime
def test_the_clock_of_a_process_can_be_moved() -> None:
    """Without it the runs above would prove nothing."""
    told = subprocess.run(
        ["date", "-u", "+%Y"],
        env=os.environ | {"LD_PRELOAD": str(LIBFAKETIME), "FAKETIME": "+3650d"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(told.stdout) >= datetime.now(UTC).year + 9  # noqa: TID251
