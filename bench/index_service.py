"""Measure the index in a running service: ``python -m bench.index_service``.

``fresh``: from the return of a post to the call that finds it, while 50 messages a
second are posted; on RabbitMQ (target: within 1 s at the 95th percentile) and with
``fresh-embedded`` in the suite of one process (0.2 s). ``hub``: lateness of the
service's other work while it searches without pause (5 ms). ``rpc``: 20 searches a
second through real calls on RabbitMQ (30 ms). The last two use the index that
``bench.index build`` left.
"""

from clp_chassis.concurrency import monkey_patch  # isort: skip  # noqa: F401 - first: it patches the process

import logging
import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path
from shutil import copytree
from statistics import quantiles
from tempfile import TemporaryDirectory
from typing import Final

from bench.index import SERVING, SHARDS
from bench.search_messages import Conversations, SampleQuery
from clp_chassis.concurrency.rate_limiter import NO_LIMIT
from clp_search.engine import SearchRequest
from clp_search.index.generations import Generations
from clp_search.query import parse
from clp_search.terms import query_plan
from clp_search.workers.remote_engine import RemoteEngine
from clp_suite import EmbeddedSuite, environment
from clp_suite.process_suite import ProcessSuite
from clp_suite.sample_data import put_cast
from clp_suite.server_process import server_directory
from clp_suite.servers import PrivatePostgres, PrivateRabbit
from clp_suite.suite import Suite
from tests.support.command_line import command_parser

POSTS_A_SECOND: Final = 50
SEARCHES_A_SECOND: Final = 20
POSTERS: Final = 8
WARM_UP_S: Final = 3.0
PROBES: Final = 100
BEAT_S: Final = 0.005
MEASURED_S: Final = 20.0


def main() -> None:
    """Run the steps of the command line."""
    parser = command_parser()
    parser.add_argument("steps", nargs="+", help="fresh, fresh-embedded, hub, rpc")
    parser.add_argument("--count", type=int, default=100_000, help="as it was built")
    parser.add_argument("--folder", type=Path, default=Path("run-data/bench-index"))
    options = parser.parse_args()
    # Ignore what a closing connection still receives.
    logging.getLogger("amqp").setLevel(logging.CRITICAL)
    for step in options.steps:
        if step == "hub":
            hub(options.folder, options.count)
        elif step == "rpc":
            rpc(options.folder, options.count)
        else:
            fresh(embedded=step == "fresh-embedded")


def fresh(*, embedded: bool) -> None:
    """Measure how soon after its post a message is found, under load."""
    with TemporaryDirectory() as folder:
        opened = _embedded(folder) if embedded else _processes(Path(folder))
        with opened as suite:
            put_cast(suite.client(service="directory"))
            directory = suite.client(service="directory")
            directory.projects.put_project(id="p1", title="Night Train")
            directory.projects.assign_partner(
                project="p1", partner="north", languages=["fr"]
            )
            load = Load(suite)
            with load.posting():
                times = [_found_after(suite, number) for number in range(PROBES)]
    _print(f"  posted {load.rate:.0f} a second")
    where = "embedded" if embedded else "RabbitMQ"
    _print(f"found after its post, {where}, {POSTS_A_SECOND}/s: {_figures(times)}")


class Load:
    """People who together post so many messages a second, or as many as they can."""

    def __init__(self, suite: Suite) -> None:
        self._suite = suite
        self._texts = (document.text for document in Conversations(100_000).documents())
        self._ended = False
        self._posted = 0
        self.rate = 0.0

    @contextmanager
    def posting(self) -> Iterator[None]:
        """Post until the end of the block, for a while before it begins."""
        started = time.perf_counter()
        posters = [
            threading.Thread(target=self._post, args=(started,)) for _ in range(POSTERS)
        ]
        for poster in posters:
            poster.start()
        time.sleep(WARM_UP_S)
        try:
            yield
        finally:
            self._ended = True
            self.rate = self._posted / (time.perf_counter() - started)
            for poster in posters:
                poster.join()

    def _post(self, started: float) -> None:
        ivy = self._suite.client("ivy").messages
        while not self._ended:
            if self._posted >= (time.perf_counter() - started) * POSTS_A_SECOND:
                time.sleep(0.005)
                continue
            number = self._posted
            self._posted += 1
            text = next(self._texts)
            ivy.post(channel="p1/broadcast", text=text, key=f"load{number}")


def _found_after(suite: Suite, number: int) -> float:
    ian, word = suite.client("ian"), f"probe{number}word"
    ian.messages.post(channel="p1/direct/north", text=word, key=word)
    started = time.perf_counter()
    while not ian.search.find(query=word, channel="p1/direct/north").hits:
        time.sleep(0.002)
    took = (time.perf_counter() - started) * 1e3
    time.sleep(0.1)
    return took


def hub(folder: Path, count: int) -> None:
    """Search in four threads without pause; a heartbeat measures the event loop."""
    generation = Generations(folder / "index", SHARDS).current
    engine = RemoteEngine(generation, SERVING, workers=2)
    questions = Conversations(count).questions(200, 2)
    ended = threading.Event()
    times: list[float] = []

    def searching(offset: int) -> None:
        while not ended.is_set():
            for question in questions[offset:]:
                started = time.perf_counter()
                engine.search(_request(question))
                times.append((time.perf_counter() - started) * 1e3)
                if ended.is_set():
                    return

    _print(f"hub late, no search: {_figures(_beats())}")
    searchers = [threading.Thread(target=searching, args=(n * 50,)) for n in range(4)]
    for searcher in searchers:
        searcher.start()
    late = _beats()
    ended.set()
    for searcher in searchers:
        searcher.join()
    engine.close()
    _print(f"hub late, {len(times) / MEASURED_S:.0f} searches/s: {_figures(late)}")
    _print(f"  those searches: {_figures(times)}")


def _beats() -> list[float]:
    late: list[float] = []
    end = time.perf_counter() + MEASURED_S
    while (started := time.perf_counter()) < end:
        time.sleep(BEAT_S)
        late.append((time.perf_counter() - started - BEAT_S) * 1e3)
    return late


def rpc(folder: Path, count: int) -> None:
    """Time searches through calls, in an index of many messages."""
    environment.SHARDS = SHARDS  # type: ignore[misc]
    talk = Conversations(count)
    projects = sorted({place.project for place in talk.places})[:12]
    questions = [q for q in talk.questions(4_000, 2) if q.project in projects]
    with TemporaryDirectory(dir=folder) as data:
        copytree(folder / "index", Path(data) / "index", copy_function=os.link)
        with _processes(Path(data)) as suite:
            put_cast(suite.client(service="directory"))
            _assign(suite, talk, projects)
            times = list(_timed_search(suite, questions))
    _print(
        f"through the call, {SEARCHES_A_SECOND}/s: {_figures(times)}, {len(times)} calls"
    )


def _assign(suite: Suite, talk: Conversations, projects: Sequence[str]) -> None:
    admin = suite.client(service="directory").projects
    direct = [p.channel.split("/") for p in talk.places if "/direct/" in p.channel]
    pairs = [
        (project, partner) for project, _, partner in direct if project in projects
    ]
    for partner in sorted({partner for _, partner in pairs}):
        admin.put_partner(id=partner, name=partner)
    for project in projects:
        admin.put_project(id=project, title=project)
    for project, partner in pairs:
        admin.assign_partner(project=project, partner=partner, languages=["fr"])


def _timed_search(suite: Suite, questions: Sequence[SampleQuery]) -> Iterator[float]:
    find = suite.client("ivy").search.find
    begun = time.perf_counter()
    wanted = islice(cycle(questions), int(MEASURED_S * SEARCHES_A_SECOND))
    for number, question in enumerate(wanted):
        time.sleep(max(0.0, begun + number / SEARCHES_A_SECOND - time.perf_counter()))
        started = time.perf_counter()
        find(query=question.text, channel=question.channel)
        yield (time.perf_counter() - started) * 1e3


def _request(question: SampleQuery) -> SearchRequest:
    return SearchRequest(
        project=question.project,
        channels=frozenset({question.channel}),
        plan=query_plan(parse(question.text)),
    )


@contextmanager
def _embedded(folder: str) -> Iterator[Suite]:
    with EmbeddedSuite(folder, rate_limit=NO_LIMIT) as suite:
        yield suite


@contextmanager
def _processes(folder: Path) -> Iterator[Suite]:
    with (
        server_directory() as servers,
        PrivateRabbit(servers / "rabbit") as rabbit,
        PrivatePostgres(servers / "postgres") as postgres,
        ProcessSuite(folder, rabbit=rabbit, postgres=postgres) as suite,
    ):
        yield suite


def _figures(times: Sequence[float]) -> str:
    cuts = quantiles(times, n=100)
    return f"p50 {cuts[49]:.2f} ms, p95 {cuts[94]:.2f} ms, most {max(times):.1f} ms"


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
