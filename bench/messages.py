"""Measure conversations: ``python -m bench.messages``.

Targets, as ratios within one run: `post` at 0.5 of a bare Nameko RPC that inserts one
row and commits with one writer, at 0.6 with eight, with a mention at 0.35; 5 ms of
processor time a message, 8 ms with a mention, over all our processes and with
everything that follows from it; 3 ms in the embedded suite. Unread counts of 200
projects over a million messages in 15 ms (p95); a page from the middle of half a
million messages within 1.2 of one from their end.
"""

import sys
import tempfile
from pathlib import Path

import clp_chassis.concurrency.monkey_patch  # noqa: F401 - before all that talks to anybody

from clp_suite.server_process import server_directory  # isort: skip
from bench import messages_posting, messages_reading
from clp_suite.servers import PrivatePostgres


def main() -> None:
    """Measure everything and print it as tables."""
    with server_directory() as folder, messages_posting.processes(folder) as post_bench:
        _print("\nRabbitMQ and PostgreSQL")
        for line in post_bench.measure():
            _print(line)
    with (
        server_directory() as folder,
        PrivatePostgres(folder / "postgres", durable=False) as postgres,
    ):
        _print("\nPostgreSQL")
        for line in messages_reading.measure(postgres.create_database("long"), folder):
            _print(line)
    with tempfile.TemporaryDirectory() as folder:
        _print("\nSQLite")
        url = f"sqlite:///{folder}/long.db"
        for line in messages_reading.measure(url, Path(folder)):
            _print(line)
    with (
        tempfile.TemporaryDirectory() as folder,
        messages_posting.embedded(Path(folder)) as post_bench,
    ):
        _print("\nembedded suite")
        for line in post_bench.measure():
            _print(line)


def _print(line: str) -> None:
    _ = sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
