"""Time uploads: ``python -m bench.uploads``.

A file of 10 MiB goes in rotation to the embedded suite, to the processes on RabbitMQ
and PostgreSQL, and to a bare receiver that only reads, hashes and syncs. Target: a
median under 60 milliseconds on an idle machine.
"""

from clp_chassis.concurrency import monkey_patch  # isort: skip  # noqa: F401 - first: it patches the process

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from clp_chassis.concurrency.rate_limiter import NO_LIMIT
from clp_suite import EmbeddedSuite
from clp_suite.process_suite import ProcessSuite
from clp_suite.sample_data import put_cast
from clp_suite.server_process import (
    LOOPBACK,
    can_connect,
    free_ports,
    server_directory,
    wait_until,
)
from clp_suite.servers import PrivatePostgres, PrivateRabbit
from clp_suite.suite import Suite
from tests.support.command_line import command_parser

SIZE = 10 * 1024 * 1024
ROUNDS = 31
TARGET_MS = 60.0
HERE = Path(__file__).parent
BARE, EMBEDDED, PROCESSES = "bare receiver", "embedded suite", "processes"
CHANNEL = "p1/direct/north"


def main() -> None:
    """Measure and print a table."""
    parser = command_parser()
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    rounds = parser.parse_args().rounds
    with (
        server_directory() as servers,
        PrivateRabbit(servers / "rabbit") as rabbit,
        PrivatePostgres(servers / "postgres") as postgres,
        tempfile.TemporaryDirectory() as folder,
        EmbeddedSuite(Path(folder, "embedded"), rate_limit=NO_LIMIT) as embedded,
        ProcessSuite(Path(folder, "many"), rabbit=rabbit, postgres=postgres) as many,
        _bare(Path(folder)) as bare,
    ):
        targets = {
            BARE: bare,
            EMBEDDED: _target_of(embedded),
            PROCESSES: _target_of(many),
        }
        _ = _uploads(targets, 3)
        pid = many._running["messages.0"].pid
        before = _cpu_ms(pid)
        took = _uploads(targets, rounds)
        cpu = (_cpu_ms(pid) - before) / rounds
        for line in _table(took, cpu):
            _ = sys.stdout.write(f"{line}\n")


def _target_of(suite: Suite) -> dict[str, Any]:
    admin = suite.client(service="directory")
    put_cast(admin)
    _ = admin.projects.put_project(id="p1", title="Night Train")
    _ = admin.projects.assign_partner(project="p1", partner="north", languages=["fr"])
    address = urlsplit(suite.http_url)
    return {
        "host": address.hostname,
        "port": address.port,
        "path": f"/attachments?channel={CHANNEL}&name=cut.pdf",
        "token": suite.passport("nat"),
    }


@contextmanager
def _bare(folder: Path) -> Iterator[dict[str, Any]]:
    (port,) = free_ports(1)
    command = [
        sys.executable,
        "-S",
        str(HERE / "bare_receiver.py"),
        str(port),
        str(folder),
    ]
    with subprocess.Popen(command) as receiver:
        try:
            wait_until(lambda: can_connect(port), 20, lambda: "no bare receiver")
            yield {"host": LOOPBACK, "port": port, "path": "/", "token": ""}
        finally:
            receiver.kill()


def _uploads(targets: Mapping[str, Any], rounds: int) -> dict[str, list[float]]:
    plan = json.dumps({"targets": targets, "rounds": rounds, "size": SIZE})
    client = [sys.executable, "-S", str(HERE / "upload_client.py"), plan]
    output = subprocess.run(client, check=True, stdout=subprocess.PIPE)
    took: dict[str, list[float]] = json.loads(output.stdout)
    return took


def _cpu_ms(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def _table(took: Mapping[str, list[float]], cpu: float) -> Iterator[str]:
    yield f"Upload of {SIZE // 1024**2} MiB, {len(took[BARE])} rounds in turn"
    least = statistics.median(took[BARE])
    for name, times in took.items():
        p50, p95 = statistics.median(times), sorted(times)[int(len(times) * 0.95)]
        yield f"  {name:15} p50 {p50:6.1f} ms  p95 {p95:6.1f} ms  {p50 / least:4.1f} x bare"
    yield f"  CPU of the messages process: {cpu:.1f} ms an upload"
    load = os.getloadavg()[0]
    slower = [n for n in took if statistics.median(took[n]) > TARGET_MS]
    missed = f"MISSED by {', '.join(slower)}" if slower else "met"
    yield f"  target of {TARGET_MS:g} ms: {missed} (load {load:.1f} on {os.cpu_count()} cores)"


if __name__ == "__main__":
    main()
