"""``python -m tests.support.run ARGUMENTS``: pytest on every core, with one pair of servers.

Starts RabbitMQ and PostgreSQL for all test processes, runs ``pytest ARGUMENTS`` in one
process more than there are cores (tests wait for servers a part of their time), which
share one queue of tests, and stops everything. ``TESTS_PROCESSES`` is another number. Without
the servers' programs the tests that need them say that they were skipped. On the build
machine what failed is run once more, alone.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

from clp_suite.servers import PrivatePostgres, PrivateRabbit
from tests.support.forks import WORKER, cache_of, log_of
from tests.support.second_try import second_try, with_cache
from tests.support.servers import VARIABLE, running_servers
from tests.support.work_queue import COUNTER, PROCESSES, codes_file


def main() -> int:
    """Run pytest and return the worst exit code."""
    workers = int(os.environ.get(PROCESSES, 1 + (os.cpu_count() or 1)))
    started = time.monotonic()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        counter = folder / "counter"
        counter.touch()
        environ = os.environ | {COUNTER: str(counter), PROCESSES: str(workers)}
        if PrivateRabbit.available() and PrivatePostgres.available():
            # What is run once more finds no databases and virtual hosts in use.
            environ[VARIABLE] = stack.enter_context(running_servers(2 * workers))
        codes = _run_all(environ, counter)
    sys.stdout.write(f"  {workers} processes, {time.monotonic() - started:.0f} s\n")
    return worst(codes)


def worst(codes: Iterable[int]) -> int:
    """The exit code of all processes; one that was killed, which is negative, is no success."""
    return max(map(abs, codes))


def _run_all(environ: dict[str, str], counter: Path) -> list[int]:
    """Run the processes; print the output of the first one at once, the others' later."""
    folder = counter.parent
    seed = random.SystemRandom().randrange(1 << 31)
    command = [sys.executable, "-m", "pytest", f"--randomly-seed={seed}", *sys.argv[1:]]
    first = with_cache(command, cache_of(folder, 0))
    codes = [subprocess.run(first, env=environ, check=False).returncode]
    if (others := codes_file(counter)).exists():
        codes += json.loads(others.read_text())
    for number in range(1, len(codes)):
        sys.stdout.write(log_of(folder, number).read_text(errors="replace"))
    alone = {name: value for name, value in environ.items() if name != COUNTER}
    return [
        second_try(
            command,
            cache_of(folder, number),
            alone | {WORKER: str(len(codes) + number)},
        )
        if code == 1
        else code
        for number, code in enumerate(codes)
    ]


if __name__ == "__main__":
    sys.exit(main())
