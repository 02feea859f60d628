"""Mails as files, and which transport a deployment has."""

from datetime import datetime
from pathlib import Path

import pytest

from clp_chassis.clock import now
from clp_notifications.delivery.maildir import Maildir
from clp_notifications.delivery.smtp import SmtpTransport
from clp_notifications.delivery.smtp_replies import ACCEPTED, RELAY_UNAVAILABLE
from clp_notifications.delivery.transports import transport_at
from tests.services.notifications.mail_builders import at_once, mail_message, mailed


def test_a_mail_becomes_one_whole_file(tmp_path: Path) -> None:
    mail = mailed()
    assert Maildir(tmp_path / "mails").send(mail, at_once) == ACCEPTED
    (path,) = (tmp_path / "mails" / "new").iterdir()
    assert path.read_bytes() == f"Return-Path: <{mail.sender}>\r\n".encode() + mail.data
    assert not list((tmp_path / "mails" / "tmp").iterdir())


def test_a_folder_that_cannot_be_written_is_as_a_relay_that_is_away(
    tmp_path: Path,
) -> None:
    transport = Maildir(tmp_path)
    (tmp_path / "tmp").rename(tmp_path / "gone")
    assert transport.send(mailed(), at_once) == RELAY_UNAVAILABLE
    (tmp_path / "gone").rename(tmp_path / "tmp")
    assert transport.send(mailed(), at_once) == ACCEPTED


def test_file_names_sort_by_the_time_of_writing(tmp_path: Path) -> None:
    folders = [Maildir(tmp_path), Maildir(tmp_path)]
    for number in range(50):
        folders[number % 2].send(mailed(mail_message(f"mail {number}")), at_once)
    files = sorted((tmp_path / "new").iterdir(), key=lambda path: path.name)
    assert [
        f"> mail {number}\r\n".encode() in path.read_bytes()
        for number, path in enumerate(files)
    ] == [True] * 50


def test_file_names_sort_across_a_restart(
    tmp_path: Path,
) -> None:
    before = now()
    Maildir(tmp_path).send(mailed(), at_once)
    (path,) = (tmp_path / "new").iterdir()
    told = datetime.strptime(path.name.split(".")[0] + "+0000", "%Y%m%dT%H%M%S%f%z")
    assert before <= told <= now()


def test_a_url_chooses_the_transport(tmp_path: Path) -> None:
    assert isinstance(
        transport_at(f"maildir://{tmp_path}/my%20mails", 1, "clp.example"), Maildir
    )
    assert (tmp_path / "my mails" / "new").is_dir()
    assert isinstance(
        transport_at("smtp://relay.example:25", 1, "clp.example"), SmtpTransport
    )
    with pytest.raises(ValueError, match="smtp_url"):
        transport_at("maildir", 1, "clp.example")
