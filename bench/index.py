"""Measure the index with many messages: ``python -m bench.index --help``.

Builds an index of generated messages with worker processes, as a rebuild does, then
measures disk use, searches, memory, and searches while messages arrive. Targets for a
million messages: built within 120 s on two cores, under 1 KB a message, two words in
one channel within 5 ms (8 ms with a highlighted page of 20) at the 95th percentile,
also while 500 messages a second arrive, in under 100 MB.
"""

import json
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from datetime import timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from statistics import quantiles
from typing import Final

from bench.search_messages import BEGUN, Conversations, SampleQuery
from clp_contracts.errors import Refused
from clp_search.dependencies import Dependencies
from clp_search.engine import Document, Engine, SearchRequest
from clp_search.index.documents import from_record, to_record
from clp_search.index.generations import Generations
from clp_search.index.sharded_index import BULK, FlushPolicy, ShardedIndex
from clp_search.query import Query, parse
from clp_search.terms import query_plan
from clp_search.workers.remote_engine import RemoteEngine
from tests.cases.loading import hostile_cases
from tests.services.search.fuzzing import filled_dependencies
from tests.services.search.query_helpers import find_as
from tests.support.command_line import command_parser

SHARDS: Final = 16
WORKERS: Final = 2
BATCH: Final = 1_000
STRETCH: Final = 10_000
SERVING: Final = FlushPolicy(shards=SHARDS)
QUESTIONS: Final = 300
ARRIVAL_RATE: Final = 500
LIVE_S: Final = 40.0
HOSTILE_MS: Final = 50.0


def main() -> None:
    """Run the steps of the command line."""
    parser = command_parser()
    parser.add_argument(
        "steps", nargs="*", help="build, search, live, hostile (default: all)"
    )
    parser.add_argument("--count", type=int, default=100_000, help="how many messages")
    parser.add_argument("--folder", type=Path, default=Path("run-data/bench-index"))
    options = parser.parse_args()
    steps = {"build": build, "search": search, "live": live, "hostile": hostile}
    for step in options.steps or steps:
        # Run each step in a process of its own, so that memory is that step's.
        if options.steps:
            steps[step](options.folder, options.count)
        else:
            given = ["--count", str(options.count), "--folder", str(options.folder)]
            command = [sys.executable, "-m", "bench.index", step, *given]
            subprocess.run(command, check=True)


def build(folder: Path, count: int) -> None:
    """Build the index from a file of messages, as a rebuild does from the feed."""
    folder.mkdir(parents=True, exist_ok=True)
    source = folder / f"messages-{count}.jsonl"
    if not source.exists():
        _write_messages(source, count)
    _write_questions(folder / f"questions-{count}.json", count)
    generations = Generations(folder / "index", SHARDS)
    generation = generations.next()
    engine = RemoteEngine(generation, BULK, workers=WORKERS)
    started = time.perf_counter()
    at = 0
    for batch in _batches(source):
        engine.apply(batch, after=at, upto=at + len(batch))
        at += len(batch)
        engine.maintain(BEGUN + timedelta(seconds=time.perf_counter()))
        if at % 50_000 == 0:
            _print(
                f"  told {at:,} of {count:,} in {time.perf_counter() - started:.0f} s"
            )
    engine.checkpoint()
    took = time.perf_counter() - started
    size = engine.size()
    engine.close()
    generations.switch(generation)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    own = time.process_time()
    options = sum(p.stat().st_size for p in generation.folder.rglob("*") if p.is_file())
    _print(
        f"built {count:,} messages in {took:.0f} s, {count / took:,.0f}/s with {WORKERS} workers"
    )
    _print(
        f"  processor time: workers {used.ru_utime + used.ru_stime:.0f} s, service {own:.0f} s"
    )
    _print(
        f"  disk: {options / count:.0f} bytes a message, {size.documents:,} documents"
    )


def search(folder: Path, count: int) -> None:
    """Time queries of one to three words in one channel, and measure memory."""
    before = _memory_mb()
    opened = time.perf_counter()
    engine = _opened(folder)
    opened = (time.perf_counter() - opened) * 1e3
    _print(
        f"opened in {opened:.0f} ms; memory {before:.0f} MB before, {_memory_mb():.0f} MB after"
    )
    # Read the queries from a file: the generator's vocabulary is no memory of the
    # index.
    questions_by_words = json.loads((folder / f"questions-{count}.json").read_text())
    for words in ("1", "2", "3"):
        requests = [
            _request(SampleQuery(*options)) for options in questions_by_words[words]
        ]
        times = [_quickest(partial(engine.search, one)) for one in requests]
        _print(f"{words} words in a channel: {_figures(times)}")
    questions = [SampleQuery(*options) for options in questions_by_words["2"]]
    shown = [_quickest(partial(_shown, engine, question)) for question in questions]
    _print(f"2 words, with a page of 20 made ready: {_figures(shown)}")
    wide = [_wide(question, questions_by_words["channels"]) for question in questions]
    times = [_quickest(partial(engine.search, one)) for one in wide]
    _print(f"2 words in all channels of the project: {_figures(times)}")
    _print(f"memory of a process that searched all this: {_memory_mb():.0f} MB")


def live(folder: Path, count: int) -> None:
    """Time searches through worker processes while messages arrive."""
    generation = Generations(folder / "index", SHARDS).current
    engine = RemoteEngine(generation, SERVING, workers=WORKERS)
    begun = engine.cursor()
    more = Conversations(count + int(ARRIVAL_RATE * LIVE_S) + BATCH)
    # Generate before the measurement: a service does not generate messages.
    arriving = list(more.documents(count))
    questions = more.questions(QUESTIONS, 2, seed=2)
    quiet = [_once(engine, question) for question in questions]
    _print(f"2 words, nothing arriving, through a worker: {_figures(quiet)}")
    times: list[float] = []
    ended = threading.Event()

    def search_repeatedly() -> None:
        while not ended.is_set():
            for question in questions:
                times.append(_once(engine, question))
                if ended.wait(0.02):
                    return

    searcher = threading.Thread(target=search_repeatedly)
    searcher.start()
    arrived, delay = _arrive(engine, iter(arriving), begun)
    ended.set()
    searcher.join()
    rate = arrived / LIVE_S
    _print(
        f"2 words, {rate:.0f} messages/s arriving: {_figures(times)}, {len(times)} searches"
    )
    _print(
        f"  behind the clock at the end: {delay * 1e3:.0f} ms; worker memory {_workers_mb(engine)}"
    )
    engine.close()


def hostile(_folder: Path, _count: int) -> None:
    """Time the search rows of `tests/cases/hostile.json`."""
    with filled_dependencies() as deps:
        options = [
            (_quickest(partial(_run_query, deps, case.value)), case.id)
            for case in hostile_cases("search")
        ]
    _print(
        f"{len(options)} hostile queries, target {HOSTILE_MS:.0f} ms each; the slowest:"
    )
    for took, case_id in sorted(options, reverse=True)[:3]:
        _print(f"  {case_id}: {took:.1f} ms")
    if max(options)[0] > HOSTILE_MS:
        raise SystemExit("a hostile query took too long")


def _run_query(deps: Dependencies, query: str) -> None:
    with suppress(Refused):
        find_as(deps, "nat", query)


def _arrive(
    engine: RemoteEngine, documents: Iterator[Document], at: int
) -> tuple[int, float]:
    """Apply so many messages a second, in the small batches of a feed reader."""
    started = time.perf_counter()
    arrived = 0
    while (now := time.perf_counter()) - started < LIVE_S:
        due = int((now - started) * ARRIVAL_RATE) - arrived
        if batch := list(islice(documents, due)):
            engine.apply(batch, after=at, upto=at + len(batch))
            at, arrived = at + len(batch), arrived + len(batch)
            engine.maintain(BEGUN + timedelta(seconds=now))
        time.sleep(0.02)
    missing = ARRIVAL_RATE * LIVE_S - arrived
    return arrived, missing / ARRIVAL_RATE


def _once(engine: Engine, question: SampleQuery) -> float:
    started = time.perf_counter()
    engine.search(_request(question))
    return (time.perf_counter() - started) * 1e3


def _quickest(work: Callable[[], object]) -> float:
    """Return the least of three times, which excludes other load."""
    times = []
    for _ in range(3):
        started = time.perf_counter()
        work()
        times.append((time.perf_counter() - started) * 1e3)
    return min(times)


def _opened(folder: Path) -> ShardedIndex:
    generation = Generations(folder / "index", SHARDS).current
    return ShardedIndex(generation.folder, SERVING.of(generation))


def _request(question: SampleQuery) -> SearchRequest:
    plan = query_plan(parse(question.text))
    return SearchRequest(
        project=question.project, channels=frozenset({question.channel}), plan=plan
    )


def _wide(question: SampleQuery, channels: Mapping[str, list[str]]) -> SearchRequest:
    """Return the same query for every channel of its project."""
    return SearchRequest(
        project=question.project,
        channels=frozenset(channels[question.project]),
        plan=query_plan(parse(question.text)),
    )


def _shown(engine: Engine, question: SampleQuery) -> list[object]:
    query: Query = parse(question.text)
    page = engine.search(_request(question))
    return list(engine.highlight(page.documents, query))


def _write_messages(path: Path, count: int) -> None:
    draft = path.with_suffix(".new")
    stretches = [(count, first) for first in range(0, count, STRETCH)]
    with (
        ProcessPoolExecutor(WORKERS) as makers,
        draft.open("w", encoding="utf-8") as file,
    ):
        for number, made in enumerate(makers.map(_made, stretches), start=1):
            file.write(made)
            if number % 5 == 0:
                _print(f"  made up {min(number * STRETCH, count):,} of {count:,}")
    draft.replace(path)


def _made(stretch: tuple[int, int]) -> str:
    """Return a range of the messages, one per line."""
    count, first = stretch
    made = Conversations(count).documents(first, first + STRETCH)
    return "".join(json.dumps(to_record(document)) + "\n" for document in made)


def _write_questions(path: Path, count: int) -> None:
    talk = Conversations(count)
    questions_by_words: dict[str, object] = {
        str(words): [
            (q.project, q.channel, q.text) for q in talk.questions(QUESTIONS, words)
        ]
        for words in (1, 2, 3)
    }
    channels: dict[str, list[str]] = {}
    for place in talk.places:
        channels.setdefault(place.project, []).append(place.channel)
    path.write_text(json.dumps(questions_by_words | {"channels": channels}))


def _batches(path: Path) -> Iterator[list[Document]]:
    with path.open(encoding="utf-8") as file:
        while lines := list(islice(file, BATCH)):
            yield [from_record(tuple(json.loads(line))) for line in lines]


def _figures(times: Sequence[float]) -> str:
    cuts = quantiles(times, n=100)
    return f"p50 {cuts[49]:.2f} ms, p95 {cuts[94]:.2f} ms, most {max(times):.1f} ms"


def _memory_mb(pid: int | str = "self") -> float:
    text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    line = next(line for line in text.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def _workers_mb(engine: RemoteEngine) -> str:
    sizes = [_memory_mb(w.pid) for w in engine.workers if w.pid]
    return ", ".join(f"{size:.0f} MB" for size in sizes)


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
