"""Compare search engines: ``python -m bench.engines`` (`make bench-search`).

All index the same messages in rotation, a few thousand at a time, and run the same
queries in rotation, so that other load hits them alike. Each query runs three times and
the quickest counts; figures are medians and 95th percentiles over many queries. With
``--folder`` the indexes are kept, and a later run continues: a million messages are
built in several steps.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import islice
from pathlib import Path

from bench.engines.peers import (
    PAGE,
    Fts5,
    Ours,
    PeerEngine,
    PostgresSimple,
    Tantivy,
    ours_in_a_folder,
    ours_in_postgres,
)
from bench.search_messages import Conversations, SampleQuery
from clp_suite.servers import PrivatePostgres
from tests.support.command_line import command_parser

TURN = 2_000
QUESTIONS = 200
ROUNDS = 3
MEGABYTE = 2**20

FOLDERS: dict[str, Callable[[Path], PeerEngine]] = {
    "ours": ours_in_a_folder,
    "fts5": Fts5,
    "tantivy": Tantivy,
}
DATABASES: dict[str, Callable[[str], PeerEngine]] = {
    "ours_pg": ours_in_postgres,
    "pg_simple": PostgresSimple,
}
TITLES = {
    "ours": "ours, in a folder",
    "ours marked": "the same with the page marked",
    "ours_pg": "ours, in PostgreSQL",
    "fts5": "SQLite FTS5 unicode61",
    "pg_simple": "PostgreSQL `simple`, GIN",
    "tantivy": "tantivy",
}


def main() -> None:
    """Build what is missing, run the queries, and print tables."""
    options = _arguments()
    if options.memory:
        _memory_of(options.memory, options.folder, options.messages)
        return
    with tempfile.TemporaryDirectory() as passing:
        folder = options.folder or Path(passing)
        folder.mkdir(parents=True, exist_ok=True)
        names = options.engines.split(",")
        conversations = Conversations(options.messages)
        with _opened(names, folder) as peers:
            built = _build(peers, folder, conversations)
            if options.build_only:
                return
            sizes = {name: peer.size_bytes() for name, peer in peers.items()}
            _print_building(built, sizes, options.messages)
            for words in (1, 2, 3):
                _print_asking(words, peers, conversations.questions(QUESTIONS, words))
        _print_memory([name for name in names if name in FOLDERS], folder, options)


def _arguments() -> argparse.Namespace:
    reads = command_parser()
    reads.add_argument("--messages", type=int, default=100_000)
    reads.add_argument("--engines", default=",".join((*FOLDERS, *DATABASES)))
    reads.add_argument("--folder", type=Path, help="keep what is built here")
    reads.add_argument("--build-only", action="store_true")
    reads.add_argument("--memory", help=argparse.SUPPRESS)
    return reads.parse_args()


@contextmanager
def _opened(names: list[str], folder: Path) -> Iterator[dict[str, PeerEngine]]:
    with ExitStack() as stack:
        peers = {n: FOLDERS[n](folder / n) for n in names if n in FOLDERS}
        for peer in peers.values():
            stack.callback(peer.close)
        wanted = [name for name in names if name in DATABASES]
        if wanted:
            urls = stack.enter_context(_databases(folder))
            for name in wanted:
                peers[name] = DATABASES[name](urls[name])
                stack.callback(peers[name].close)
        yield peers


@contextmanager
def _databases(folder: Path) -> Iterator[dict[str, str]]:
    """Start a private server, on the folder of the last run if there is one."""
    place = folder / "postgres"
    server = PrivatePostgres(place)
    secret = folder / "password"
    again = secret.exists()
    if again:
        server.password = secret.read_text()
    folder.chmod(0o755)
    with server:
        secret.write_text(server.password)
        if not again:
            for name in DATABASES:
                server.create_database(name)
        yield {
            name: f"postgresql+psycopg://clp:{server.password}@127.0.0.1:{server.port}/{name}"
            for name in DATABASES
        }
        server.stop()


def _build(
    peers: Mapping[str, PeerEngine], folder: Path, conversations: Conversations
) -> dict[str, float]:
    """Index the missing messages; return the seconds of each engine."""
    kept = {name: folder / f"{name}.json" for name in peers}
    seconds = {
        name: json.loads(f.read_text()) for name, f in kept.items() if f.exists()
    }
    wanting = {name: peer for name, peer in peers.items() if name not in seconds}
    if wanting:
        seconds |= _index_missing(wanting, conversations)
        for name in wanting:
            kept[name].write_text(json.dumps(seconds[name]))
    return seconds


def _index_missing(
    peers: Mapping[str, PeerEngine], conversations: Conversations
) -> dict[str, float]:
    seconds = dict.fromkeys(peers, 0.0)
    documents = conversations.documents()
    for first in range(0, conversations.count, TURN):
        turn = list(islice(documents, TURN))
        for name, peer in peers.items():
            seconds[name] += _timed(partial(peer.add_documents, turn, first))
        if first % 20_000 == 0:
            took = ", ".join(f"{name} {each:.0f} s" for name, each in seconds.items())
            print(f"told {first:,} of {conversations.count:,}: {took}", file=sys.stderr)
    for name, peer in peers.items():
        seconds[name] += _timed(peer.settle)
    return seconds


def _timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def _print_building(
    seconds: Mapping[str, float], sizes: Mapping[str, int], count: int
) -> None:
    print(f"\n{count:,} messages\n\n| engine | messages/s | KB a message |")
    print("| --- | ---: | ---: |")
    for name, size in sizes.items():
        rate, kilobytes = count / seconds[name], size / count / 1024
        print(f"| {TITLES[name]} | {rate:,.0f} | {kilobytes:.2f} |")


def _print_asking(
    words: int, peers: Mapping[str, PeerEngine], questions: list[SampleQuery]
) -> None:
    contenders = dict(peers)
    if isinstance(ours := peers.get("ours"), Ours):
        contenders["ours marked"] = ours.marking()
    quickest: dict[str, list[float]] = {name: [] for name in contenders}
    hits = dict.fromkeys(contenders, 0)
    for question in questions:
        best = dict.fromkeys(contenders, float("inf"))
        for _ in range(ROUNDS):
            for name, peer in contenders.items():
                begun = time.perf_counter()
                found = peer.search(question)
                best[name] = min(best[name], time.perf_counter() - begun)
                hits[name] += found
        for name, seconds in best.items():
            quickest[name].append(seconds * 1000)
    _print_times(
        words, quickest, {n: h / ROUNDS / len(questions) for n, h in hits.items()}
    )


def _print_times(
    words: int, times: Mapping[str, list[float]], hits: Mapping[str, float]
) -> None:
    print(f"\n{words} word{'s' if words > 1 else ''}, one channel, newest {PAGE}\n")
    print("| engine | p50 ms | p95 ms | p95: ours to it | hits |")
    print("| --- | ---: | ---: | ---: | ---: |")
    first = _p95(times["ours"]) if "ours" in times else 0.0
    for name, each in times.items():
        p50, p95 = statistics.median(each), _p95(each)
        ratio = f"{first / p95:.2f}" if first else "-"
        row = (TITLES[name], f"{p50:.2f}", f"{p95:.2f}", ratio, f"{hits[name]:.1f}")
        print(f"| {' | '.join(row)} |")


def _p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]


def _print_memory(names: list[str], folder: Path, options: argparse.Namespace) -> None:
    """Measure each engine in a process of its own, after a hundred queries."""
    print("\n| engine | MB of a process that opened it and answered |")
    print("| --- | ---: |")
    for name in names:
        command = [sys.executable, "-m", "bench.engines", "--memory", name]
        command += ["--messages", str(options.messages), "--folder", str(folder)]
        result = subprocess.run(command, capture_output=True, text=True, check=True)
        print(f"| {TITLES[name]} | {result.stdout.strip()} |")


def _memory_of(name: str, folder: Path, count: int) -> None:
    """Print the memory an engine adds, without that of generating queries."""
    questions = Conversations(count).questions(100, 2)
    before = _resident_megabytes()
    peer = FOLDERS[name](folder / name)
    for question in questions:
        peer.search(question)
    print(f"{_resident_megabytes() - before:.0f} more than {before:.0f}")
    peer.close()


def _resident_megabytes() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / MEGABYTE


if __name__ == "__main__":
    main()
