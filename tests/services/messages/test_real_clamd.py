"""The scanner hook against ClamAV's own daemon (`make test-clamd`)."""

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from clp_messages.clamd import Clamd, NotScanned
from clp_suite.server_process import (
    LOOPBACK,
    ServerProcess,
    can_connect,
    free_ports,
    server_directory,
    wait_until,
)
from tests.cases.loading import EICAR
from tests.services.messages.scenario import PDF

pytestmark = pytest.mark.clamd

SIGNATURE = "Own-Eicar-Test"
LIMIT = 100 * 1024


def config(folder: Path, port: int) -> str:
    lines = {
        "DatabaseDirectory": folder / "signatures",
        "TCPSocket": port,
        "TCPAddr": LOOPBACK,
        "LocalSocket": folder / "clamd.sock",
        "Foreground": "yes",
        "StreamMaxLength": "100K",
        "OfficialDatabaseOnly": "no",
    }
    return "".join(f"{name} {value}\n" for name, value in lines.items())


@pytest.fixture(scope="module")
def addresses() -> Iterator[list[str]]:
    """A clamd that knows one signature, and its two addresses."""
    program = shutil.which("clamd", path=f"{os.environ['PATH']}:/usr/sbin")
    assert program, "clamd is not on this machine; run `make test-clamd`"
    with server_directory() as folder:
        (port,) = free_ports(1)
        (folder / "signatures").mkdir()
        signature = f"{SIGNATURE}:0:*:{EICAR.encode().hex()}\n"
        (folder / "signatures" / "own.ndb").write_text(signature)
        (folder / "clamd.conf").write_text(config(folder, port))
        command = [program, "--config-file", str(folder / "clamd.conf")]
        server = ServerProcess(command, account=None, log=folder / "clamd.log")
        server.start({"PATH": os.environ["PATH"]})
        try:
            wait_until(lambda: can_connect(port), 60, server.log_tail)
            yield [f"tcp://{LOOPBACK}:{port}", f"unix://{folder}/clamd.sock"]
        finally:
            server.stop(signal.SIGKILL, 10)


def test_known_signatures_are_found_and_the_rest_passes(addresses: list[str]) -> None:
    for url in addresses:
        scanner = Clamd.at(url, 10.0)
        assert scanner.finding([PDF, b"x" * 50_000]) is None
        found = scanner.finding([EICAR[:30].encode(), EICAR[30:].encode()])
        assert found == f"{SIGNATURE}.UNOFFICIAL"


def test_a_file_beyond_its_limit_is_not_scanned(addresses: list[str]) -> None:
    for url in addresses:
        with pytest.raises(NotScanned):
            Clamd.at(url, 10.0).finding([b"x" * 65536] * 20)
