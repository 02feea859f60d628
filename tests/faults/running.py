"""One run: load, storm, control and judgement together."""

import time
from collections.abc import Callable
from pathlib import Path

import eventlet

from clp_contracts.refusal import CallFailed, Refused
from clp_suite.servers import PrivatePostgres, PrivateRabbit
from clp_suite.suite import NotSettled, Suite
from tests.faults.crew import Crew
from tests.faults.judging import Judgement, judge_crew, naive_losses, rows_left
from tests.faults.ledger import Ledger
from tests.faults.load import Client, Load, come_and_go, post_naively, set_scene
from tests.faults.storm import Storm, Weather

# The storm goes on for so long, if need be, until the control has lost something.
CONTROL_PATIENCE_S = 60.0
# The control is there to lose something, not to take the machine from the others.
NAIVE_PACE_S = 0.5
CHURN_REST_S = 1.0


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


def drain(crew: Crew, seconds: float) -> float:
    """Wait until no mail waits, not even for its next try; say how long it took."""
    began = time.monotonic()
    while True:
        calm_down(crew, seconds - (time.monotonic() - began))
        if not any(rows_left(crew.database_url("notifications")).values()):
            return time.monotonic() - began
        if time.monotonic() - began > seconds:
            raise AssertionError(f"I7 not drained in {seconds:g} s")
        eventlet.sleep(0.2)


def ride_out(
    crew: Crew,
    servers: tuple[PrivateRabbit, PrivatePostgres],
    load: Load,
    weather: Weather,
    *,
    searches: int = 50,
    drain_s: float = 300.0,
    minutes: float | None = None,
    say: Callable[[str], object] = print,
) -> Judgement:
    """Post under a storm, wait for the calm, judge; the control must have lost."""
    say(f"run {load.run}, seed {load.seed}: {load.messages} messages")
    ledger = new_ledger(crew, load)
    set_scene(crew, load)
    clients = [Client(number, load, ledger) for number in range(load.clients)]

    began = time.monotonic()

    def done() -> float:
        share = sum(client.done for client in clients) / load.messages
        if minutes is None:
            return share
        passed = (time.monotonic() - began) / 60 / minutes
        for client in clients:
            client.enough = passed >= 1
        return max(share, passed)

    storm = Storm(crew, servers, weather, load.seed, done)
    working = [eventlet.spawn(client.work, crew) for client in clients]
    churning = eventlet.spawn(come_and_go, crew, load, ledger, CHURN_REST_S)
    naively = eventlet.spawn(post_naively, crew, ledger, NAIVE_PACE_S)
    raging = eventlet.spawn(storm.rage)
    _report(working, (done, lambda: dict(ledger.failures)), began, say)
    posting_s = time.monotonic() - began
    _wait_for_the_control(crew, ledger)
    storm.stopped = True
    raging.wait()
    churning.kill()
    naively.kill()
    draining_s = drain(crew, drain_s)
    judged = judge_crew(crew, load, ledger, searches=searches)
    judged.figures |= {
        "seed": load.seed,
        "posting s": round(posting_s, 1),
        "drain s": round(draining_s, 1),
        "outages": [line for line in storm.log if "%" in line],
        **_what_the_control_lost(crew, ledger),
    }
    return judged


def _what_the_control_lost(crew: Crew, ledger: Ledger) -> dict[str, int]:
    """What a naive service lost in the same storm; nothing lost is nothing shown."""
    control = naive_losses(crew, ledger)
    if not _lost(control):
        raise Void(f"the control lost nothing: {control}")
    return control


def _report(
    working: list[eventlet.greenthread.GreenThread],
    told: tuple[Callable[[], float], Callable[[], object]],
    began: float,
    say: Callable[[str], object],
) -> None:
    done, tally = told
    told_at = time.monotonic()
    while not all(client.dead for client in working):
        eventlet.sleep(0.1)
        if time.monotonic() - told_at > 30:
            told_at = time.monotonic()
            say(f"{done():.1%} posted after {told_at - began:.0f} s {tally()}")
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
    except OSError:
        return {}


def _lost(control: dict[str, int]) -> bool:
    return bool(
        control.get("naive messages lost") or control.get("naive notifications lost")
    )
