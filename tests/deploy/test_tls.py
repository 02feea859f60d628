"""Certificates are verified at every connection: broker, database, SMTP relay."""

import ssl
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from clp_contracts.client import connect
from clp_contracts.errors import CallFailed, Refused
from clp_deploy.secret_files import CertificateAuthority
from clp_notifications.delivery.smtp import SmtpRelay, SmtpTransport
from clp_notifications.delivery.smtp_replies import (
    RELAY_UNAVAILABLE,
    SmtpStage,
    outcome_of_reply,
)
from clp_suite.server_process import can_connect, free_ports
from tests.deploy.running import UpSystem, until
from tests.deploy.test_database_roles import connected
from tests.services.notifications.mail_builders import mailed
from tests.services.notifications.relay import ScriptedRelay


@pytest.fixture(scope="session")
def other_authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An authority that issued none of our certificates."""
    return CertificateAuthority(tmp_path_factory.mktemp("other")).write().certificate


@pytest.mark.broker
class TestTheBroker:
    def test_a_known_authority_is_trusted(self, up: UpSystem) -> None:
        with (
            connect(up.broker("gateway"), "no passport") as clp,
            pytest.raises(Refused),
        ):
            clp.projects.my_projects()

    def test_another_authority_is_refused(
        self, up: UpSystem, other_authority: Path
    ) -> None:
        address = up.broker("gateway").partition("?")[0]
        for query in (f"?ca={other_authority}", ""):
            with (
                connect(address + query, "x", timeout=3.0) as clp,
                pytest.raises(CallFailed),
            ):
                clp.projects.my_projects()

    def test_a_certificate_for_another_host_is_refused(self, up: UpSystem) -> None:
        address = up.broker("gateway").replace("@localhost:", "@127.0.0.1:")
        with connect(address, "x", timeout=3.0) as clp, pytest.raises(CallFailed):
            clp.projects.my_projects()


@pytest.mark.broker
class TestTheDatabase:
    def test_the_connection_is_encrypted(self, up: UpSystem) -> None:
        with connected(up, "messages", "messages") as connection:
            found = connection.execute(
                "select ssl from pg_stat_ssl where pid = pg_backend_pid()"
            ).fetchone()
        assert found == (True,)

    def test_a_connection_without_tls_is_refused(self, up: UpSystem) -> None:
        with pytest.raises(psycopg.OperationalError, match=r"no pg_hba\.conf entry"):
            connected(up, "messages", "messages", sslmode="disable")

    def test_the_urls_of_the_services_verify_the_certificate(
        self, up: UpSystem
    ) -> None:
        for service in ("projects", "messages", "notifications"):
            address = up.address(f"CLP_{service.upper()}_DATABASE_URL")
            assert "sslmode=verify-full" in address

    def test_another_authority_is_refused(
        self, up: UpSystem, other_authority: Path
    ) -> None:
        with pytest.raises(psycopg.OperationalError, match="certificate verify failed"):
            connected(up, "messages", "messages", sslrootcert=str(other_authority))

    def test_a_certificate_for_another_host_is_refused(self, up: UpSystem) -> None:
        with pytest.raises(psycopg.OperationalError, match="does not match host name"):
            connected(up, "messages", "messages", host="127.0.0.1")


@dataclass(frozen=True)
class MailServer:
    """An SMTP server with a certificate of its authority."""

    url: str
    ca: Path
    folder: Path


@pytest.fixture(scope="module", params=["smtps", "smtp+starttls"])
def mail_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MailServer]:
    folder = tmp_path_factory.mktemp("mail")
    authority = CertificateAuthority(folder / "tls").write()
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


def sent(url: str) -> object:
    transport = SmtpTransport(SmtpRelay.from_url(url, 10.0, "clp.example"))
    try:
        return transport.send(mailed(), lambda: True)
    finally:
        transport.close()


def test_mail_is_sent_to_a_server_with_a_trusted_certificate(
    mail_server: MailServer,
) -> None:
    before = set((mail_server.folder / "mails").iterdir())
    sent(f"{mail_server.url}?ca={mail_server.ca}")
    assert len(set((mail_server.folder / "mails").iterdir()) - before) == 1


@pytest.mark.parametrize("reply", [b"550 no", b"421 4.3.2 closing"])
def test_a_relay_that_refuses_us_once_the_line_is_encrypted_refuses_the_session(
    tmp_path: Path, reply: bytes
) -> None:
    authority = CertificateAuthority(tmp_path).write()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(authority.issue(tmp_path))
    script = {
        "EHLO": [b"250-relay.example\r\n250 STARTTLS", reply],
        "HELO": [reply],
        "STARTTLS": [b"220 go on"],
    }
    with ScriptedRelay(script, tls=tls) as relay:
        port = relay.url.rpartition(":")[2]
        url = f"smtp+starttls://localhost:{port}?ca={authority.certificate}"
        assert sent(url) == outcome_of_reply(int(reply[:3]), b"", SmtpStage.EHLO)


def test_t38_stored_mails_are_readable_by_their_owner_only(
    mail_server: MailServer,
) -> None:
    sent(f"{mail_server.url}?ca={mail_server.ca}")
    mails = mail_server.folder / "mails"
    modes = {path.stat().st_mode & 0o077 for path in (mails, *mails.iterdir())}
    assert modes == {0}


def test_mail_is_not_sent_to_a_server_with_another_certificate(
    mail_server: MailServer, other_authority: Path
) -> None:
    other_host = mail_server.url.replace("localhost", "127.0.0.1")
    for url in (
        f"{mail_server.url}?ca={other_authority}",
        mail_server.url,
        f"{other_host}?ca={mail_server.ca}",
    ):
        assert sent(url) == RELAY_UNAVAILABLE
