"""T38: another account of the host reads no mail, key, backup or data."""

import os
import re
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from clp_contracts.mail_addresses import MailAddress
from clp_deploy.keys import write_keys
from clp_notifications.delivery.maildir import Maildir
from clp_notifications.inbound.maildir import InboundMaildir, deliver_to_maildir
from clp_notifications.mail.composer import OutgoingMail
from clp_suite import EmbeddedSuite
from clp_suite.sample_data import put_cast

NOBODY = 65534
RUNBOOK = Path(__file__).parents[2] / "docs" / "operations" / "runbook.md"
BACKUP = re.compile(r"<!-- run: backup -->\n```sh\n(.*?)```", re.DOTALL)
LOOP = re.compile(r"^for service .*?^done\n", re.MULTILINE | re.DOTALL)


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that everybody may enter, and the umask of an ordinary shell."""
    before = os.umask(0o022)
    try:
        with tempfile.TemporaryDirectory() as folder:
            Path(folder).chmod(0o755)
            yield Path(folder)
    finally:
        os.umask(before)


def files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def read_by_another_account(place: Path) -> list[Path]:
    """The files that somebody else reads: tried when root, otherwise by their modes."""
    if os.geteuid() != 0:
        return [path for path in files_in(place) if is_open(path, place)]
    return [path for path in files_in(place) if was_read(path)]


def was_read(path: Path) -> bool:
    result = subprocess.run(
        ["cat", path],
        user=NOBODY,
        group=NOBODY,
        extra_groups=[],
        capture_output=True,
        env={"LC_ALL": "C", "PATH": os.defpath},
        cwd="/",
        check=False,
    )
    assert result.returncode == 0 or b"Permission denied" in result.stderr
    return result.returncode == 0


def is_open(path: Path, place: Path) -> bool:
    folders = [one for one in path.parents if one.is_relative_to(place)]
    return bool(path.stat().st_mode & stat.S_IROTH) and all(
        one.stat().st_mode & stat.S_IXOTH for one in folders
    )


@contextmanager
def suite_with_a_message(data: Path) -> Iterator[EmbeddedSuite]:
    with EmbeddedSuite(data) as suite:
        put_cast(suite.client(service="directory"))
        directory = suite.client(service="directory").projects
        directory.put_project(id="p1", title="Night Train")
        file = suite.files("ivy").upload(
            channel="p1/broadcast", name="cue.csv", body=b"a,b\n"
        )
        suite.client("ivy").messages.post(
            channel="p1/broadcast", key="k", text="@Ian Moss", attachments=[file]
        )
        suite.settle()
        yield suite


def test_t38_what_everybody_may_read_is_noticed(place: Path) -> None:
    (place / "open").write_text("x")
    (place / "closed").touch(mode=0o600)
    (place / "shut").mkdir(mode=0o700)
    (place / "shut" / "inside").write_text("x")
    assert read_by_another_account(place) == [place / "open"]


def test_t38_nothing_of_a_suite_is_read_by_another_account(place: Path) -> None:
    with suite_with_a_message(place / "data"):
        names = {path.relative_to(place).parts[1] for path in files_in(place)}
        assert names >= {"keys", "index", "files", "mails", "messages.db"}
        assert read_by_another_account(place) == []


def test_t38_mails_are_read_by_no_other_account(place: Path) -> None:
    sent, incoming = place / "sent", place / "incoming"
    address = MailAddress("c", "d.example")
    mail = OutgoingMail(
        id="m1", sender="a@b.example", recipient=address, data=b"private"
    )
    Maildir(sent).send(mail, lambda: True)
    deliver_to_maildir(b"private", str(incoming))
    deliver_to_maildir(b"private", str(incoming))
    path, _ = files_in(incoming)
    InboundMaildir(str(incoming)).bury(path, "private")

    assert len(files_in(place)) == 4
    assert read_by_another_account(place) == []
    # Not even where an operator opened the folders.
    for folder in (path for path in place.rglob("*") if path.is_dir()):
        folder.chmod(0o755)
    assert read_by_another_account(place) == []


def test_t38_keys_are_read_by_no_other_account(place: Path) -> None:
    write_keys(place / "keys")
    assert len(files_in(place)) > 10
    assert read_by_another_account(place) == []


def test_t38_a_backup_is_read_by_no_other_account(place: Path) -> None:
    """The printed commands, without those that need a database server."""
    (block,) = BACKUP.findall(RUNBOOK.read_text())
    script, loops = LOOP.subn("", block)
    assert loops == 1
    (place / "files").mkdir(mode=0o700)
    (place / "files" / "one").touch(mode=0o600)
    (place / "addresses.env").touch(mode=0o600)
    subprocess.run(
        ["bash", "-eu", "-c", f"{script}\ntouch $CLP_UP_DATA/backup/one.dump"],
        env={"PATH": os.environ["PATH"], "CLP_UP_DATA": str(place)},
        check=True,
    )
    assert {path.name for path in files_in(place / "backup")} == {
        "files.tar",
        "one.dump",
    }
    assert read_by_another_account(place) == []
