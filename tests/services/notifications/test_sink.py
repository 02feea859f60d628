"""Sending to an independent mail server: a mail arrives as it was sent."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from clp_notifications.delivery.smtp import SmtpRelay, SmtpTransport
from clp_notifications.mail.composer import OutgoingMail
from clp_suite.server_process import free_ports
from tests.services.notifications.mail_builders import (
    at_once,
    mail_message,
    mailed,
    reader,
)

PATIENCE_S = 20.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sink")


@pytest.fixture(scope="module")
def transport(folder: Path) -> Iterator[SmtpTransport]:
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "clp_suite.smtp_sink", str(port), str(folder)]
    sink = subprocess.Popen(command)
    wait_for(port)
    transport = SmtpTransport(
        SmtpRelay.from_url(f"smtp://127.0.0.1:{port}", 30.0, "clp.example")
    )
    yield transport
    transport.close()
    sink.terminate()
    sink.wait(PATIENCE_S)


def wait_for(port: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1.0).close()
        except OSError:
            assert time.monotonic() < deadline, "the sink did not start"
            time.sleep(0.05)
        else:
            return


def arrived(folder: Path) -> list[bytes]:
    files = sorted(folder.glob("*.eml"), key=lambda path: path.name)
    return [path.read_bytes() for path in files]


MAILS = {
    "plain": mailed(),
    "dots": mailed(mail_message("a\n.\n..\n.b")),
    "an attempt to smuggle": mailed(
        mail_message("a\r\n.\r\nMAIL FROM:<x@evil.example>\r\n")
    ),
    "an international address": mailed(reader=reader(email="däna@bücher.example")),
    "right to left": mailed(mail_message("שלום"), project_title="רכבת לילה"),
}


@pytest.mark.parametrize("mail", MAILS.values(), ids=MAILS.keys())
def test_a_mail_arrives_with_the_bytes_that_were_sent(
    transport: SmtpTransport, folder: Path, mail: OutgoingMail
) -> None:
    before = len(arrived(folder))
    assert transport.send(mail, at_once).code == 250
    envelope = f"Return-Path: <{mail.sender}>\r\n".encode()
    assert arrived(folder)[before:] == [envelope + mail.data]
