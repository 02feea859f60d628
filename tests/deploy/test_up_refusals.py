"""`make up` refuses what would harm a system, before it writes anything."""

import os
import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from clp_deploy.keys import HOLDERS, write_keys
from clp_deploy.secret_files import PasswordStore
from clp_suite.environment import without_settings
from clp_suite.server_process import server_directory
from clp_suite.up.__main__ import main
from clp_suite.up.kept_secrets import (
    LIST,
    NEEDED,
    list_secrets,
    refuse_lost_secrets,
)
from clp_suite.up.safety import lock_data_dir, refuse_unsafe, require_running
from clp_suite.up.start import start
from tests.architecture.tree import ROOT
from tests.deploy.conftest import RefusalOf
from tests.deploy.running import UpSystem

UP = [sys.executable, "-W", "ignore", "-m", "clp_suite.up"]


def up(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*UP, *arguments],
        env=without_settings(os.environ) | environ,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


# fmt: off
REFUSED = [
    # what the environment sets                                        the line says
    ({"CLP_NOTIFICATIONS_SMPT_URL": "smtp://r"},                       "CLP_NOTIFICATIONS_SMPT_URL: no such setting; did you mean CLP_NOTIFICATIONS_SMTP_URL?"),
    ({"CLP_WHATEVER": "1"},                                            "CLP_WHATEVER: no such setting; unset it"),
    ({"CLP_PORTAL_HTTP_ADDRESS": "127.0.0.1:8000",
      "CLP_MESSAGES_HTTP_ADDRESS": "127.0.0.1:8000"},                  "CLP_PORTAL_HTTP_ADDRESS: 127.0.0.1:8000 has the port of CLP_MESSAGES_HTTP_ADDRESS"),
    ({"CLP_PORTAL_HTTP_ADDRESS": "8000"},                              "CLP_PORTAL_HTTP_ADDRESS: '8000' is not usable; expected HOST:PORT"),
    ({"CLP_UP_ADDRESSES": "/srv/clp"},                                 "this shell has the addresses of the system in /srv/clp"),
]
# fmt: on


@pytest.mark.parametrize(("environ", "line"), REFUSED)
def test_an_environment_that_would_harm_is_refused(
    environ: dict[str, str], line: str
) -> None:
    with server_directory() as folder:
        with pytest.raises(SystemExit) as refused:
            refuse_unsafe(folder / "up", environ)
        assert str(refused.value).startswith(line)
        assert not list(folder.iterdir())


def test_what_every_service_knows_is_taken() -> None:
    environ = {
        "CLP_LOG_LEVEL": "DEBUG",
        "CLP_UP_DATA": "x",
        "CLP_GATEWAY_BROKER_URL": "amqp://b",
        "CLP_SEARCH_SECRET_FILE": "/etc/secret",
        "HOME": "/root",
    }
    with server_directory() as folder:
        refuse_unsafe(folder / "up", environ)


def test_root_is_told_of_a_folder_that_postgresql_cannot_reach(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    with server_directory() as folder:
        closed = folder / "closed"
        closed.mkdir(mode=0o700)
        with pytest.raises(SystemExit, match="is closed to it: name a folder") as told:
            refuse_unsafe(closed / "up", {})
        assert f"chmod o+x {closed}" in str(told.value)
        refuse_unsafe(closed / "up", {"CLP_PROJECTS_DATABASE_URL": "elsewhere"})
        monkeypatch.setattr("os.geteuid", lambda: 1000)
        refuse_unsafe(closed / "up", {})


def test_a_data_folder_is_of_one_system_at_a_time(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="no system runs in"):
        require_running(tmp_path)
    with ExitStack() as first:
        lock_data_dir(tmp_path / "up", first)
        require_running(tmp_path / "up")
        with ExitStack() as second, pytest.raises(SystemExit, match="a system runs in"):
            lock_data_dir(tmp_path / "up", second)
    with pytest.raises(SystemExit, match="no system runs in"):
        require_running(tmp_path / "up")
    with ExitStack() as again:
        lock_data_dir(tmp_path / "up", again)


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    with ExitStack() as cleanup, pytest.raises(SystemExit, match="name another --data"):
        lock_data_dir(file / "up", cleanup)


def used_folder(folder: Path) -> list[str]:
    """A data folder with all secrets, as the list names them; the list has no others."""
    write_keys(folder / "keys")
    passwords = PasswordStore(folder / "secrets")
    for name in NEEDED.values():
        passwords.get(name)
    passwords.get("projects_database_password")
    list_secrets(folder)
    return (folder / LIST).read_text().splitlines()


def test_a_start_without_a_secret_it_was_used_with_is_one_line(tmp_path: Path) -> None:
    lines = used_folder(tmp_path)
    refuse_lost_secrets(tmp_path, {})
    assert len(lines) > len(NEEDED) + len(HOLDERS)
    assert "projects_database_password" not in "".join(lines), (
        "made again at each start"
    )
    for line in lines:
        variable, _, name = line.partition(" ")
        (tmp_path / name).rename(tmp_path / "elsewhere")
        with pytest.raises(SystemExit) as refused:
            refuse_lost_secrets(tmp_path, {})
        told = str(refused.value)
        assert told.startswith(f"{variable}: {tmp_path / name} is missing; expected ")
        assert "restore it from the backup" in told
        assert len(told.splitlines()) == 1
        refuse_lost_secrets(tmp_path, {variable: "named by whoever starts"})
        refuse_lost_secrets(tmp_path, {f"{variable}_FILE": "/etc/clp/secret"})
        (tmp_path / "elsewhere").rename(tmp_path / name)


def test_a_restore_without_its_secrets_is_refused_before_it_makes_any(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The list is saved with the files, and the secrets are another archive."""
    for name in [name for name in os.environ if name.startswith("CLP_")]:
        monkeypatch.delenv(name)
    with server_directory() as folder:
        lines = used_folder(folder)
        shutil.rmtree(folder / "secrets")
        shutil.rmtree(folder / "keys")
        with pytest.raises(SystemExit) as refused:
            start(folder, ())
        more = f" and {len(lines) - 1} more of {folder / LIST} is missing"
        assert more in str(refused.value)
        assert not (folder / "keys").exists()
        assert not (folder / "secrets").exists()
        (folder / LIST).unlink()
        refuse_lost_secrets(folder, {})


@pytest.mark.parametrize(
    "command", [["status"], ["scale", "delivery=2"], ["passport", "ivy"]]
)
def test_a_command_without_a_system_says_so(
    command: list[str], tmp_path: Path, refusal_of: RefusalOf
) -> None:
    text = refusal_of(main, *command, "--data", str(tmp_path / "nowhere"))
    assert text.startswith("no system runs in ")
    assert len(text.splitlines()) == 1


def test_what_a_command_refuses_is_one_line_of_its_process(tmp_path: Path) -> None:
    done = up("status", "--data", str(tmp_path / "nowhere"))
    assert done.returncode == 1
    assert done.stderr.startswith("no system runs in ")
    assert len(done.stderr.splitlines()) == 1


def test_a_mistyped_process_type_is_refused_by_make(refusal_of: RefusalOf) -> None:
    done = subprocess.run(
        ["make", "--dry-run", "up", "DELIVRY=3", "DELIVERY=2"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    (line,) = (one for one in done.stdout.splitlines() if "clp_suite.up start" in one)
    arguments = line.partition(" start ")[2].split()
    assert sorted(arguments) == ["DELIVRY=3", "delivery=2"]
    refused = refusal_of(main, "start", *arguments)
    assert refused.startswith("2")
    assert "the types are projects, messages" in refused


@pytest.mark.broker
@pytest.mark.timeout(400)
def test_a_second_start_leaves_the_running_system_alone(up: UpSystem) -> None:
    files = [up.data / "tls" / "ca.pem", up.data / "addresses.env"]
    before = [file.read_bytes() for file in files]
    second = subprocess.run(
        [*UP, "start", "--data", str(up.data)],
        env=without_settings(os.environ),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert second.returncode == 1
    assert f"a system runs in {up.data}" in second.stderr
    assert [file.read_bytes() for file in files] == before
    assert up.process.poll() is None


@pytest.mark.broker
@pytest.mark.timeout(400)
def test_the_last_lines_say_what_to_type_next(up: UpSystem) -> None:
    log = up.log
    for step in ("1 path", "2 a person", "3 the portal", "4 sign in as", "5 stop"):
        assert f"  {step} " in log
    exports = up.data / "addresses.env"
    assert f"; . {exports}" in log
    assert f"clp-ops --keys {up.data}/keys/directory person ivy" in log
    assert f"CLP_UP_ADDRESSES='{up.data}'" in exports.read_text()
