"""Measure conversations: ``python -m bench.messages [PART ...]``.

Targets, as ratios within one run: `post` at 0.5 of a bare Nameko RPC that inserts one
row and commits with one writer, at 0.6 with eight, with a mention at 0.35; 5 ms of
processor time a message, 8 ms with a mention, over all our processes and with
everything that follows from it; 3 ms in the embedded suite. Unread counts of 200
projects over a million messages in 15 ms (p95); a page from the middle of half a
million messages within 1.2 of one from their end.

Medians of the rounds, of which each has all kinds in turn. One writer posts without the
limit of calls of a person, and facts are leased as in a deployment.
"""

import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import clp_chassis.concurrency.monkey_patch  # noqa: F401 - before all that talks to anybody

from clp_suite.server_process import server_directory  # isort: skip
from bench import messages_posting, messages_reading
from clp_suite.servers import PrivatePostgres
from tests.support.command_line import command_parser

# A part gets the posts of a round and the number of rounds.
Part = Callable[[int, int], Iterator[str]]


def posting_on_servers(posts: int, rounds: int) -> Iterator[str]:
    """Post on RabbitMQ and PostgreSQL, beside a bare RPC."""
    with server_directory() as folder, messages_posting.processes(folder) as post_bench:
        yield from post_bench.measure(posts, rounds)


def reading_postgresql(_posts: int, _rounds: int) -> Iterator[str]:
    """Read a million messages from PostgreSQL."""
    with (
        server_directory() as folder,
        PrivatePostgres(folder / "postgres", durable=False) as postgres,
    ):
        yield from messages_reading.measure(postgres.create_database("long"), folder)


def reading_sqlite(_posts: int, _rounds: int) -> Iterator[str]:
    """Read a million messages from SQLite."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/long.db"
        yield from messages_reading.measure(url, Path(folder))


def posting_embedded(posts: int, rounds: int) -> Iterator[str]:
    """Post to the embedded suite, beside a bare RPC in the same process."""
    with (
        tempfile.TemporaryDirectory() as folder,
        messages_posting.embedded(Path(folder)) as post_bench,
    ):
        yield from post_bench.measure(posts, rounds)


PARTS: dict[str, Part] = {
    "servers": posting_on_servers,
    "postgresql": reading_postgresql,
    "sqlite": reading_sqlite,
    "embedded": posting_embedded,
}


def main() -> None:
    """Measure the parts that were named, or all, and print them as tables."""
    parser = command_parser()
    parser.add_argument(
        "parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)} (default: all)"
    )
    parser.add_argument("--posts", type=int, default=messages_posting.POSTS)
    parser.add_argument("--rounds", type=int, default=messages_posting.ROUNDS)
    args = parser.parse_args()
    if unknown := set(args.parts) - PARTS.keys():
        parser.error(
            f"no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}"
        )
    for name in args.parts or PARTS:
        _print(f"\n{name}")
        for line in PARTS[name](args.posts, args.rounds):
            _print(line)


def _print(line: str) -> None:
    _ = sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
