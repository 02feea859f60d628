"""Time `post` beside a bare Nameko RPC that inserts one row and commits."""

import itertools
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Final

from nameko.exceptions import RpcTimeout, UnknownService
from nameko.standalone.rpc import ServiceRpcProxy
from typing_extensions import override

from bench.bare_service import BareService, config_of
from clp_chassis.concurrency.rate_limiter import NO_LIMIT
from clp_chassis.runner import ContainerGroup
from clp_contracts.facts_cache import LEASE_S
from clp_suite import EmbeddedSuite
from clp_suite.process_suite import ProcessSuite
from clp_suite.sample_data import put_cast
from clp_suite.servers import PrivatePostgres, PrivateRabbit
from clp_suite.suite import Suite

ROUNDS: Final = 5
POSTS: Final = 80
TEXT: Final = "The second reel is in; please look at the whistle in scene four. " * 4
TICKS: Final = os.sysconf("SC_CLK_TCK")

# One writer posts faster than a person may. And facts are leased as in a deployment:
# the suite's leases are shorter, as its stories withdraw partners often.
SETTINGS: Final = {
    "CLP_CALLS_AT_ONCE": "1000000",
    "CLP_CALLS_PER_SECOND": "1000000",
    "CLP_MESSAGES_ACCESS_LEASE_S": f"{LEASE_S:g}",
    "CLP_SEARCH_ACCESS_LEASE_S": f"{LEASE_S:g}",
}

Post = Callable[[int], object]


class DeployedSuite(ProcessSuite):
    """Processes with the settings of a deployment, without a limit of calls."""

    @override
    def environ(self, name: str) -> dict[str, str]:
        return super().environ(name) | SETTINGS


@dataclass
class Figures:
    """The rounds of one kind of post."""

    rates: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return median(self.rates)


def cpu_seconds(pids: list[int]) -> float:
    """Return the processor time of processes so far, threads included."""
    used = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        used += int(fields[11]) + int(fields[12])
    return used / TICKS


def posts_per_second(writers: list[Post], posts: int) -> float:
    """Return the rate of completed posts of several writers."""
    each = posts // len(writers)

    def write(post: Post) -> None:
        for number in range(each):
            post(number)

    threads = [threading.Thread(target=write, args=(post,)) for post in writers]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return each * len(writers) / (time.perf_counter() - begun)


class PostBench:
    """A suite and a bare service on the same broker, and writers to both."""

    def __init__(self, suite: Suite, broker_url: str, pids: list[int]) -> None:
        self.suite = suite
        self.pids = pids
        self._broker_url = broker_url
        self._keys: Iterator[int] = itertools.count()
        put_cast(suite.client(service="directory"))
        projects = suite.client(service="directory").projects
        for number in range(8):
            projects.put_project(id=f"q{number}", title=f"Night Train {number}")
            projects.assign_partner(project=f"q{number}", partner="north")

    def ours(self, person: str, place: str, text: str = TEXT) -> Post:
        """Return a person who posts to a channel."""
        messages = self.suite.client(person).messages
        return lambda _: messages.post(
            channel=place, text=text, key=f"k{next(self._keys)}"
        )

    @contextmanager
    def bare(self, writers: int) -> Iterator[list[Post]]:
        """Return clients of the bare service, as Nameko ships them."""
        proxies = [
            ServiceRpcProxy("bare", {"AMQP_URI": self._broker_url}, timeout=10)
            for _ in range(writers)
        ]
        started = [proxy.start() for proxy in proxies]
        try:
            yield [
                lambda _, p=proxy: p.post(channel="q0/broadcast", text=TEXT)
                for proxy in started
            ]
        finally:
            for proxy in proxies:
                proxy.stop()

    def wait_for_bare(self) -> None:
        """Return once the bare service responds."""
        for _ in range(400):
            try:
                with self.bare(1) as posts:
                    posts[0](0)
            except (UnknownService, RpcTimeout):
                time.sleep(0.05)
            else:
                return
        raise TimeoutError("the bare service does not answer")

    def measure(self, posts: int = POSTS, rounds: int = ROUNDS) -> Iterator[str]:
        """Alternate all kinds of posts; return the table."""
        for writers in (1, 8):
            kinds: dict[str, list[Post]] = {
                "post, by the studio": [
                    self.ours("ivy", f"q{n}/direct/north") for n in range(writers)
                ],
                "post, by a partner": [
                    self.ours("nat", f"q{n}/direct/north") for n in range(writers)
                ],
                "post, all in one channel": [
                    self.ours("ivy", "q0/broadcast") for n in range(writers)
                ],
                "post, with a mention": [
                    self.ours("ivy", f"q{n}/direct/north", f"@Nat Moreau {TEXT}")
                    for n in range(writers)
                ],
            }
            with self.bare(writers) as bare:
                found = self._alternate(
                    {"bare, as shipped": bare, **kinds}, posts, rounds
                )
            shipped = found["bare, as shipped"].rate
            for kind, figures in found.items():
                cpu = f"{median(figures.cpu_ms):6.2f}" if figures.cpu_ms else "     -"
                yield (
                    f"{writers} writer{'s' * (writers > 1):1}  {kind:26} "
                    f"{figures.rate:8.0f}/s  {figures.rate / shipped:5.2f} of bare  {cpu} ms CPU"
                )

    def _alternate(
        self, kinds: dict[str, list[Post]], posts: int, rounds: int
    ) -> dict[str, Figures]:
        found = {kind: Figures() for kind in kinds}
        for round_ in range(rounds + 1):
            for kind, writers in kinds.items():
                before = cpu_seconds(self.pids)
                rate = posts_per_second(writers, posts)
                self.suite.settle()
                if round_ == 0:
                    continue  # connections, caches and compiled statements
                found[kind].rates.append(rate)
                if kind.startswith("post"):
                    used = cpu_seconds(self.pids) - before
                    found[kind].cpu_ms.append(1000 * used / posts)
        return found


@contextmanager
def processes(folder: Path) -> Iterator[PostBench]:
    """Run five processes of ours and a bare one, on the same RabbitMQ and PostgreSQL."""
    with (
        PrivateRabbit(folder / "rabbit") as rabbit,
        PrivatePostgres(folder / "postgres") as postgres,
        DeployedSuite(folder / "suite", rabbit=rabbit, postgres=postgres) as suite,
    ):
        url = postgres.create_database("bare")
        bare = subprocess.Popen(
            [
                sys.executable,
                "-W",
                "ignore",
                "-m",
                "bench.bare_service",
                rabbit.url,
                url,
            ]
        )
        try:
            post_bench = PostBench(suite, rabbit.url, suite.pids())
            post_bench.wait_for_bare()
            yield post_bench
        finally:
            bare.terminate()
            bare.wait()


@contextmanager
def embedded(folder: Path) -> Iterator[PostBench]:
    """Run all in one process: the suite, the bare service, and their callers."""
    with EmbeddedSuite(folder / "suite", rate_limit=NO_LIMIT) as suite:
        config = config_of(suite.broker_url, f"sqlite:///{folder / 'bare.db'}")
        group = ContainerGroup([(BareService, config)])
        group.start()
        try:
            yield PostBench(suite, suite.broker_url, [os.getpid()])
        finally:
            group.stop()
