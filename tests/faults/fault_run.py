"""One run: load, storm, control and judgement together."""

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
from tests.faults.ack_log import Ledger
from tests.faults.fault_injector import Storm, Weather
from tests.faults.growth import Growth
from tests.faults.invariants import Judgement, judge_crew, naive_losses, rows_left
from tests.faults.load import Client, Load, come_and_go, post_naively, set_scene
from tests.faults.process_group import Crew

# The storm goes on for so long, if need be, until the control has lost something.
CONTROL_PATIENCE_S = 60.0
# The control is there to lose something, not to take the machine from the others.
NAIVE_PACE_S = 0.25
TELL_EVERY_S = 30.0
CHURN_REST_S = 1.0
LOOK_EVERY_S = 15.0


class Void(AssertionError):
    """The control lost nothing, so the faults were none."""


def until(holds: Callable[[], bool], seconds: float, what: str) -> float:
    """Wait for a condition; say how long it took."""
    began = time.monotonic()
    while not holds():
        if time.monotonic() - began > seconds:
            raise AssertionError(f"not in {seconds:g} s: {what}")
        eventlet.sleep(0.05)
    return time.monotonic() - began


def new_ledger(crew: Crew, load: Load) -> Ledger:
    """The ledger of a run, in a file beside those of the others."""
    return Ledger(Path(crew.data_dir) / f"acks-{load.run}.jsonl")


def calm_down(suite: Suite, seconds: float) -> float:
    """Wait until everything owed is done, however shaken the services are."""
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


def drain(crew: Crew, seconds: float, *, hurry: bool = True) -> float:
    """Wait until no mail waits, not even for its next try; say how long it took.

    In a hurry, a mail that waits for its next try is due now: it has shown that it
    waits, and half a minute is long for a test.
    """
    began = time.monotonic()
    database_url = crew.database_url("notifications")
    while True:
        calm_down(crew, seconds - (time.monotonic() - began))
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
    """How long a run may take, and how much of it is asked for afterwards."""

    searches: int = 50
    drain_s: float = 300.0
    # Whether mails that wait for their next try are waited for.
    hurry: bool = True
    # Memory and open files of each process are judged at the end (R2).
    growth: Growth | None = None
    # Posting ends then, however much was posted.
    minutes: float | None = None


def ride_out(
    crew: Crew,
    servers: tuple[PrivateRabbit, PrivatePostgres],
    load: Load,
    weather: Weather,
    limits: Limits = Limits(),
) -> Judgement:
    """Post under a storm, wait for the calm, judge; the control must have lost."""
    print(f"run {load.run}, seed {load.seed}: {load.messages} messages")
    ledger = new_ledger(crew, load)
    set_scene(crew, load)
    clients = [Client(number, load, ledger) for number in range(load.clients)]
    clock = _Clock(clients, load, limits.minutes)
    storm = Storm(crew, servers, weather, load.seed, clock.done)
    churning = eventlet.spawn(come_and_go, crew, load, ledger, CHURN_REST_S)
    naively = eventlet.spawn(post_naively, crew, ledger, NAIVE_PACE_S)
    looking = [eventlet.spawn(_look, crew, limits.growth)] if limits.growth else []
    raging = eventlet.spawn(storm.rage)
    working = [eventlet.spawn(client.work, crew) for client in clients]
    _wait_for(working, raging, clock, ledger)
    posting_s = clock.seconds
    _wait_for_the_control(crew, ledger)
    storm.stopped = True
    raging.wait()
    for going_on in (churning, naively, *looking):
        going_on.kill()
    draining_s = drain(crew, limits.drain_s, hurry=limits.hurry)
    judged = judge_crew(crew, load, ledger, searches=limits.searches)
    control = naive_losses(crew, ledger)
    judged.figures |= {
        "seed": load.seed,
        "posting s": round(posting_s, 1),
        "messages/s": round(len(ledger.acked) / posting_s, 1),
        "drain s": round(draining_s, 1),
        "outages": [line for line in storm.log if "%" in line],
        **control,
    }
    if limits.growth:
        judged.figures["memory and open files"] = limits.growth.figures()
        judged.broken += limits.growth.broken()
    if not _lost(control):
        raise Void(f"the control lost nothing: {control}")
    return judged


def _look(crew: Crew, growth: Growth) -> None:
    while True:
        growth.look(crew.process_ids())
        eventlet.sleep(LOOK_EVERY_S)


class _Clock:
    """How far a run is, by what was posted or by the time it may take."""

    def __init__(
        self, clients: list[Client], load: Load, minutes: float | None
    ) -> None:
        self._clients, self._load, self._minutes = clients, load, minutes
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        """Since the beginning."""
        return time.monotonic() - self._began

    def done(self) -> float:
        """A share; at the end of the time clients are told that it is enough."""
        share = sum(client.done for client in self._clients) / self._load.messages
        if self._minutes is None:
            return share
        passed = self.seconds / 60 / self._minutes
        for client in self._clients:
            client.enough = passed >= 1
        return max(share, passed)


def _wait_for(
    working: list[GreenThread], raging: GreenThread, clock: _Clock, ledger: Ledger
) -> None:
    told_s = 0.0
    while not all(client.dead for client in working):
        eventlet.sleep(0.1)
        if raging.dead:
            # A server that did not come back ends the run, with its reason.
            raging.wait()
        if clock.seconds - told_s > TELL_EVERY_S:
            told_s = clock.seconds
            failed = dict(ledger.failures)
            print(f"{clock.done():.1%} after {told_s:.0f} s; failed calls: {failed}")
    for client in working:
        client.wait()


def _wait_for_the_control(crew: Crew, ledger: Ledger) -> None:
    """Bounded: a run in which the control cannot lose is void, and says so."""
    deadline = time.monotonic() + CONTROL_PATIENCE_S
    while not _lost(naive_losses_or_none(crew, ledger)):
        if time.monotonic() > deadline:
            return
        eventlet.sleep(0.5)


def naive_losses_or_none(crew: Crew, ledger: Ledger) -> dict[str, int]:
    """What the control has lost so far; nothing while its database is away."""
    try:
        return naive_losses(crew, ledger)
    except (OSError, psycopg.Error):
        return {}


def _lost(control: dict[str, int]) -> bool:
    return bool(
        control.get("naive messages lost") or control.get("naive notifications lost")
    )
