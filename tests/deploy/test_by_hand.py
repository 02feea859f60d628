"""The commands of docs/operations/by-hand.md run as printed."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from clp_contracts.client import Clients, connect
from clp_contracts.methods import PassportKind
from clp_deploy.keys import KeyRing
from clp_suite.sample_data import put_cast
from clp_suite.server_access import BrokerAccess, DatabaseAccess
from clp_suite.server_process import free_ports
from tests.deploy.running import START_S, STOP_S, until

pytestmark = [pytest.mark.broker, pytest.mark.timeout(600)]

COMMAND = re.compile(r"^    (.*)", re.MULTILINE)
STARTED = re.compile(r"^python -m clp_\w+ .*?&", re.MULTILINE)


def commands(repository: Path) -> str:
    """The commands of the page: its indented lines."""
    page = repository / "docs/operations/by-hand.md"
    return "\n".join(COMMAND.findall(page.read_text()))


class Host:
    """A host on which the commands run, with folders and servers of its own."""

    def __init__(self, folder: Path, broker_url: str, postgres: DatabaseAccess) -> None:
        self.folder, self.broker_url = folder, broker_url
        self.mail_port, *http = free_ports(3)
        self._http = [f"127.0.0.1:{port}" for port in http]
        self._replacements = {
            "/etc/clp": str(folder / "etc"),
            "/var/lib/clp": str(folder / "var"),
            "amqp://clp:secret@127.0.0.1:5672//": broker_url,
            "smtp://127.0.0.1:25": f"smtp://127.0.0.1:{self.mail_port}",
            "SECRET=...": "SECRET=" + 8 * "long-enough",
        }
        for service in ("projects", "messages", "notifications"):
            url = f"postgresql+psycopg://clp:secret@127.0.0.1/{service}"
            self._replacements[url] = postgres.create_database(f"by_hand_{service}")

    def run(self, script: str) -> "subprocess.Popen[bytes]":
        """Run the commands in a shell, which waits for its processes."""
        for printed, actual in self._replacements.items():
            assert printed in script, printed
            script = script.replace(printed, actual)
        environ = os.environ | {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONWARNINGS": "ignore",
            "CLP_MESSAGES_HTTP_ADDRESS": self._http[0],
            "CLP_NOTIFICATIONS_HTTP_ADDRESS": self._http[1],
            "CLP_NOTIFICATIONS_MAIL_WINDOW_S": "0",
        }
        sink = f"python -m clp_suite.smtp_sink {self.mail_port} {self.folder / 'mails'} &\n"
        with self.log_file.open("wb") as log:
            return subprocess.Popen(
                ["bash", "-eu", "-c", f"{sink}{script}\nwait"],
                env=environ,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    @property
    def log_file(self) -> Path:
        return self.folder / "log"

    def count(self, word: str) -> int:
        return self.log_file.read_text().count(word)

    def client(self, subject: str, kind: PassportKind) -> Clients:
        keys = KeyRing(self.folder / "etc" / "keys")
        return connect(self.broker_url, keys.source(subject, kind))

    def mails(self) -> list[bytes]:
        return [one.read_bytes() for one in (self.folder / "mails").glob("[!.]*")]


@pytest.fixture
def host(
    tmp_path: Path, postgres: DatabaseAccess, new_broker: Callable[[], BrokerAccess]
) -> Host:
    return Host(tmp_path, new_broker().url, postgres)


def test_the_commands_of_the_page_start_a_whole_host(
    host: Host, repository: Path
) -> None:
    script = commands(repository)
    programs = len(STARTED.findall(script))
    assert programs == 5
    running = host.run(script)
    try:
        until(lambda: host.count(" running: ") == programs, START_S)
        directory = host.client("directory", PassportKind.SERVICE)
        put_cast(directory)
        directory.projects.put_project(id="p1", title="Night Train")
        directory.projects.assign_partner(project="p1", partner="north")
        ivy = host.client("ivy", PassportKind.PERSON)
        ivy.messages.post(
            channel="p1/direct/north", text="evergreen @Nia Roux", key="k"
        )
        until(lambda: ivy.search.find(query="evergreen", project="p1").hits)
        until(lambda: any(b"evergreen" in mail for mail in host.mails()))
    finally:
        os.killpg(running.pid, signal.SIGTERM)
        running.wait(STOP_S)
    assert "Traceback" not in host.log_file.read_text()
