"""One run: load, faults, control and verdict."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import eventlet
import psycopg
from eventlet.greenthread import GreenThread

from clp_contracts.errors import CallFailed, Refused
from clp_suite.servers import PrivatePostgres, PrivateRabbit
from clp_suite.suite import NotSettled, Suite
from tests.faults.ack_log import AckLog
from tests.faults.fault_injector import FaultInjector, FaultPlan
from tests.faults.growth import Growth
from tests.faults.invariants import Verdict, check_invariants, naive_losses, rows_left
from tests.faults.load import Client, Load, churn_access, create_world, post_to_control
from tests.faults.process_group import ProcessGroup

# Faults go on for so long, if necessary, until the control has lost something.
CONTROL_TIMEOUT_S = 60.0
# The control is there to lose something, not to take the machine from the others.
NAIVE_INTERVAL_S = 0.25
REPORT_INTERVAL_S = 30.0
CHURN_INTERVAL_S = 1.0
POLL_INTERVAL_S = 15.0


class ControlLostNothing(AssertionError):
    """The control lost nothing, so the faults prove nothing."""


def until(holds: Callable[[], bool], seconds: float, what: str) -> float:
    """Wait for a condition; return how long it took."""
    began = time.monotonic()
    while not holds():
        if time.monotonic() - began > seconds:
            raise AssertionError(f"not in {seconds:g} s: {what}")
        eventlet.sleep(0.05)
    return time.monotonic() - began


def new_ack_log(group: ProcessGroup, load: Load) -> AckLog:
    """Return the acknowledgement log of a run, in a file of its own."""
    return AckLog(Path(group.data_dir) / f"acks-{load.run}.jsonl")


def settle(suite: Suite, seconds: float) -> float:
    """Wait until all work is done, while services may still be restarting."""
    began = time.monotonic()
    while True:
        left = seconds - (time.monotonic() - began)
        try:
            suite.settle(max(left, 0.1))
        except (CallFailed, Refused):
            if left <= 0:
                raise
            eventlet.sleep(0.2)
        except NotSettled as error:
            raise AssertionError(f"I7 {error}") from None
        else:
            return time.monotonic() - began


def drain(group: ProcessGroup, seconds: float, *, hurry: bool = True) -> float:
    """Wait until no mail waits, not even for its next attempt; return how long.

    In a hurry, a mail that waits for its next try is due now: it has shown that it
    waits, and half a minute is long for a test.
    """
    began = time.monotonic()
    database_url = group.database_url("notifications")
    while True:
        settle(group, seconds - (time.monotonic() - began))
        if not any(rows_left(database_url).values()):
            return time.monotonic() - began
        if hurry:
            _let_time_pass(database_url)
        if time.monotonic() - began > seconds:
            raise AssertionError(f"I7 not drained in {seconds:g} s")
        eventlet.sleep(0.2)


def _let_time_pass(database_url: str) -> None:
    with psycopg.connect(database_url) as database:
        database.execute(
            "update mails set due_at = now() where due_at > now()"
            " and lease_until is null and attempts > 0"
        )


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Time limits of a run, and the size of its sample."""

    searches: int = 50
    drain_s: float = 300.0
    # Whether mails that wait for their next try are waited for.
    hurry: bool = True
    # Memory and open files of each process are judged at the end (F2).
    growth: Growth | None = None
    # Posting ends then, however much was posted.
    minutes: float | None = None


def run_under_faults(
    group: ProcessGroup,
    servers: tuple[PrivateRabbit, PrivatePostgres],
    load: Load,
    plan: FaultPlan,
    limits: Limits = Limits(),
) -> Verdict:
    """Post under faults, wait until idle, verify; the control must have lost."""
    print(f"run {load.run}, seed {load.seed}: {load.messages} messages")
    ack_log = new_ack_log(group, load)
    create_world(group, load)
    clients = [Client(number, load, ack_log) for number in range(load.clients)]
    clock = _Clock(clients, load, limits.minutes)
    injector = FaultInjector(group, servers, plan, load.seed, clock.done)
    churning = eventlet.spawn(churn_access, group, load, ack_log, CHURN_INTERVAL_S)
    naively = eventlet.spawn(post_to_control, group, ack_log, NAIVE_INTERVAL_S)
    looking = [eventlet.spawn(_look, group, limits.growth)] if limits.growth else []
    raging = eventlet.spawn(injector.run)
    working = [eventlet.spawn(client.work, group) for client in clients]
    _wait_for(working, raging, clock, ack_log)
    posting_s = clock.seconds
    _wait_for_the_control(group, ack_log)
    injector.stopped = True
    raging.wait()
    for going_on in (churning, naively, *looking):
        going_on.kill()
    draining_s = drain(group, limits.drain_s, hurry=limits.hurry)
    verdict = check_invariants(group, load, ack_log, searches=limits.searches)
    control = naive_losses(group, ack_log)
    verdict.figures |= {
        "seed": load.seed,
        "posting s": round(posting_s, 1),
        "messages/s": round(len(ack_log.acked) / posting_s, 1),
        "drain s": round(draining_s, 1),
        "outages": [line for line in injector.log if "%" in line],
        **control,
    }
    if limits.growth:
        verdict.figures["memory and open files"] = limits.growth.figures()
        verdict.broken += limits.growth.broken()
    if not _lost(control):
        raise ControlLostNothing(f"the control lost nothing: {control}")
    return verdict


def _look(group: ProcessGroup, growth: Growth) -> None:
    while True:
        growth.sample(group.process_ids())
        eventlet.sleep(POLL_INTERVAL_S)


class _Clock:
    """Progress of a run, by messages posted or by time."""

    def __init__(
        self, clients: list[Client], load: Load, minutes: float | None
    ) -> None:
        self._clients, self._load, self._minutes = clients, load, minutes
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._began

    def done(self) -> float:
        """Return the share done; 1 at the end of the time."""
        share = sum(client.done for client in self._clients) / self._load.messages
        if self._minutes is None:
            return share
        passed = self.seconds / 60 / self._minutes
        for client in self._clients:
            client.enough = passed >= 1
        return max(share, passed)


def _wait_for(
    working: list[GreenThread], raging: GreenThread, clock: _Clock, ack_log: AckLog
) -> None:
    told_s = 0.0
    while not all(client.dead for client in working):
        eventlet.sleep(0.1)
        if raging.dead:
            # A server that did not come back ends the run, with its reason.
            raging.wait()
        if clock.seconds - told_s > REPORT_INTERVAL_S:
            told_s = clock.seconds
            failed = dict(ack_log.failures)
            print(f"{clock.done():.1%} after {told_s:.0f} s; failed calls: {failed}")
    for client in working:
        client.wait()


def _wait_for_the_control(group: ProcessGroup, ack_log: AckLog) -> None:
    """Wait, bounded, until the control lost something; else the run proves nothing."""
    deadline = time.monotonic() + CONTROL_TIMEOUT_S
    while not _lost(naive_losses_or_none(group, ack_log)):
        if time.monotonic() > deadline:
            return
        eventlet.sleep(0.5)


def naive_losses_or_none(group: ProcessGroup, ack_log: AckLog) -> dict[str, int]:
    """Return what the control lost so far; None while its database is down."""
    try:
        return naive_losses(group, ack_log)
    except (OSError, psycopg.Error):
        return {}


def _lost(control: dict[str, int]) -> bool:
    return bool(
        control.get("naive messages lost") or control.get("naive notifications lost")
    )
