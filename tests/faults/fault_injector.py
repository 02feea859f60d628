"""Inject the faults of a run; the same faults for the same seed."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import eventlet

from clp_suite.servers import PrivatePostgres, PrivateRabbit
from tests.faults.process_group import ProcessGroup


@dataclass(frozen=True, kw_only=True)
class FaultPlan:
    """Which faults to inject: kills by time, outages by share of posted messages."""

    kill_every_s: float
    broker_kills: tuple[float, ...] = ()
    database_stops: tuple[float, ...] = ()
    down_s: float = 0.5


@dataclass
class FaultInjector:
    """Injects faults until it is stopped."""

    group: ProcessGroup
    servers: tuple[PrivateRabbit, PrivatePostgres]
    plan: FaultPlan
    seed: int
    done: Callable[[], float]
    log: list[str] = field(default_factory=list)
    stopped: bool = False

    def run(self) -> None:
        """Inject the faults of the plan."""
        rng = random.Random(self.seed)
        rabbit, postgres = self.servers
        outages = sorted(
            [(share, "broker", rabbit) for share in self.plan.broker_kills]
            + [(share, "database", postgres) for share in self.plan.database_stops],
            key=lambda outage: outage[:2],
        )
        kill_at = time.monotonic() + self.plan.kill_every_s
        while not self.stopped:
            if outages and self.done() >= outages[0][0]:
                _, name, server = outages.pop(0)
                self.log.append(f"{name} killed at {self.done():.0%}")
                server.kill_hard()
                eventlet.sleep(self.plan.down_s)
                server.start()
            if time.monotonic() >= kill_at and self.group.kill_random(rng):
                kill_at = time.monotonic() + self.plan.kill_every_s
            eventlet.sleep(0.05)
        for _, name, _server in outages:
            self.log.append(f"{name} was never killed")
