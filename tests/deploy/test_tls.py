"""Certificates are checked wherever somebody is met: broker, database, mail server."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from clp_contracts.client import connect
from clp_contracts.errors import CallFailed, Refused
from clp_deploy.secret_files import Authority
from clp_notifications.delivery.smtp import Relay, SmtpTransport
from clp_notifications.delivery.smtp_replies import RELAY_AWAY
from clp_suite.server_process import can_connect, free_ports
from tests.deploy.running import UpSystem, until
from tests.deploy.test_database_roles import opened
from tests.services.notifications.mail_builders import mailed


@pytest.fixture(scope="session")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An authority that signed none of our certificates."""
    return Authority(tmp_path_factory.mktemp("stranger")).write().certificate


@pytest.mark.broker
class TestTheBroker:
    def test_a_known_authority_is_trusted(self, up: UpSystem) -> None:
        with (
            connect(up.broker("gateway"), "no passport") as clp,
            pytest.raises(Refused),
        ):
            clp.projects.my_projects()

    def test_a_stranger_is_not(self, up: UpSystem, stranger: Path) -> None:
        address = up.broker("gateway").partition("?")[0]
        for query in (f"?ca={stranger}", ""):
            with (
                connect(address + query, "x", timeout=3.0) as clp,
                pytest.raises(CallFailed),
            ):
                clp.projects.my_projects()

    def test_nor_is_a_certificate_for_another_host(self, up: UpSystem) -> None:
        address = up.broker("gateway").replace("@localhost:", "@127.0.0.1:")
        with connect(address, "x", timeout=3.0) as clp, pytest.raises(CallFailed):
            clp.projects.my_projects()


@pytest.mark.broker
class TestTheDatabase:
    def test_it_is_spoken_to_in_secret(self, up: UpSystem) -> None:
        with opened(up, "messages", "messages") as connection:
            found = connection.execute(
                "select ssl from pg_stat_ssl where pid = pg_backend_pid()"
            ).fetchone()
        assert found == (True,)

    def test_services_accept_no_less(self, up: UpSystem) -> None:
        for service in ("projects", "messages", "notifications"):
            address = up.address(f"CLP_{service.upper()}_DATABASE_URL")
            assert "sslmode=verify-full" in address

    def test_a_stranger_is_not_trusted(self, up: UpSystem, stranger: Path) -> None:
        with pytest.raises(psycopg.OperationalError, match="certificate verify failed"):
            opened(up, "messages", "messages", sslrootcert=str(stranger))

    def test_nor_is_a_certificate_for_another_host(self, up: UpSystem) -> None:
        with pytest.raises(psycopg.OperationalError, match="does not match host name"):
            opened(up, "messages", "messages", host="127.0.0.1")


@dataclass(frozen=True)
class MailServer:
    """A mail server with a certificate, and who vouches for it."""

    url: str
    ca: Path
    folder: Path


@pytest.fixture(scope="module", params=["smtps", "smtp+starttls"])
def mail_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MailServer]:
    folder = tmp_path_factory.mktemp("mail")
    authority = Authority(folder / "tls").write()
    (port,) = free_ports(1)
    command = [
        sys.executable,
        "-m",
        "clp_suite.smtp_sink",
        str(port),
        str(folder / "mails"),
    ]
    command += ["--certificate", str(authority.issue(folder / "tls"))]
    if request.param == "smtp+starttls":
        command.append("--starttls")
    server = subprocess.Popen(command)
    until(lambda: can_connect(port))
    yield MailServer(
        f"{request.param}://localhost:{port}", authority.certificate, folder
    )
    server.terminate()
    server.wait(30)


def handed_over(url: str) -> object:
    transport = SmtpTransport(Relay.at(url, 10.0, "clp.example"))
    try:
        return transport.hand_over(mailed(), lambda: True)
    finally:
        transport.close()


def test_mail_goes_to_a_server_that_is_vouched_for(mail_server: MailServer) -> None:
    before = set((mail_server.folder / "mails").iterdir())
    handed_over(f"{mail_server.url}?ca={mail_server.ca}")
    assert len(set((mail_server.folder / "mails").iterdir()) - before) == 1


def test_mail_does_not_go_to_a_stranger(
    mail_server: MailServer, stranger: Path
) -> None:
    there = mail_server.url.replace("localhost", "127.0.0.1")
    for url in (
        f"{mail_server.url}?ca={stranger}",
        mail_server.url,
        f"{there}?ca={mail_server.ca}",
    ):
        assert handed_over(url) == RELAY_AWAY
