"""The faults of a run: which, and when, the same for the same seed."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import eventlet

from clp_suite.servers import PrivatePostgres, PrivateRabbit
from tests.faults.process_group import Crew


@dataclass(frozen=True, kw_only=True)
class Weather:
    """What goes wrong: kills by the clock, outages by how much was posted."""

    kill_every_s: float
    broker_kills: tuple[float, ...] = ()
    database_stops: tuple[float, ...] = ()
    down_s: float = 0.5


@dataclass
class Storm:
    """Goes on until it is told to stop."""

    crew: Crew
    servers: tuple[PrivateRabbit, PrivatePostgres]
    weather: Weather
    seed: int
    done: Callable[[], float]
    log: list[str] = field(default_factory=list)
    stopped: bool = False

    def rage(self) -> None:
        """Do what the weather says."""
        luck = random.Random(self.seed)
        rabbit, postgres = self.servers
        outages = sorted(
            [(share, "broker", rabbit) for share in self.weather.broker_kills]
            + [(share, "database", postgres) for share in self.weather.database_stops],
            key=lambda outage: outage[:2],
        )
        kill_at = time.monotonic() + self.weather.kill_every_s
        while not self.stopped:
            if outages and self.done() >= outages[0][0]:
                _, name, server = outages.pop(0)
                self.log.append(f"{name} killed at {self.done():.0%}")
                server.kill_hard()
                eventlet.sleep(self.weather.down_s)
                server.start()
            if time.monotonic() >= kill_at and self.crew.strike_somebody(luck):
                kill_at = time.monotonic() + self.weather.kill_every_s
            eventlet.sleep(0.05)
        for _, name, _server in outages:
            self.log.append(f"{name} was never killed")
