"""``python -m tests.support.run ARGUMENTS``: pytest on every core, with one pair of servers.

Starts RabbitMQ and PostgreSQL for all test processes, runs ``pytest ARGUMENTS`` in one
process more than there are cores (tests wait for servers a part of their time), which
share one queue of tests, and stops everything. ``TESTS_PROCESSES`` is another number. Without
the servers' programs the tests that need them say that they were skipped. On the build
machine what failed is run once more, alone.
"""

import os
import random
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from clp_suite.servers import PrivatePostgres, PrivateRabbit
from tests.support.second_try import second_try, with_cache
from tests.support.servers import VARIABLE, running_servers
from tests.support.work_queue import COUNTER, WORKER


def main() -> int:
    """Run pytest and return the worst exit code."""
    workers = int(os.environ.get("TESTS_PROCESSES", 1 + (os.cpu_count() or 1)))
    started = time.monotonic()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        counter = folder / "counter"
        counter.touch()
        environ = os.environ | {COUNTER: str(counter)}
        if PrivateRabbit.available() and PrivatePostgres.available():
            # What is run once more finds no databases and virtual hosts in use.
            environ[VARIABLE] = stack.enter_context(running_servers(2 * workers))
        codes = _run_all(environ, folder, workers)
    sys.stdout.write(f"  {workers} processes, {time.monotonic() - started:.0f} s\n")
    return max(codes)


def _run_all(environ: dict[str, str], folder: Path, workers: int) -> list[int]:
    """Run the processes; print the output of the first one at once, the others' later."""
    seed = random.SystemRandom().randrange(1 << 31)
    command = [sys.executable, "-m", "pytest", f"--randomly-seed={seed}", *sys.argv[1:]]
    caches = [folder / f"{number}.cache" for number in range(workers)]
    logs = [folder / f"{number}.log" for number in range(1, workers)]
    with ExitStack() as stack:
        outputs = [None, *(stack.enter_context(log.open("wb")) for log in logs)]
        running = [
            subprocess.Popen(
                with_cache(command, caches[number]),
                env=environ | {WORKER: str(number)},
                stdout=output,
                stderr=subprocess.STDOUT if output else None,
            )
            for number, output in enumerate(outputs)
        ]
        codes = [process.wait() for process in running]
    for log in logs:
        sys.stdout.write(log.read_text(errors="replace"))
    alone = {name: value for name, value in environ.items() if name != COUNTER}
    return [
        second_try(command, cache, alone | {WORKER: str(number)}) if code == 1 else code
        for number, (code, cache) in enumerate(
            zip(codes, caches, strict=True), start=workers
        )
    ]


if __name__ == "__main__":
    sys.exit(main())
