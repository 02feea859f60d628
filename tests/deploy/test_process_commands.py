"""``--help``, ``--check`` and the refusals of every process, as an operator sees them."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pytest

from clp_chassis.process_command import settings_help, shown_default
from clp_chassis.settings import (
    InvalidSettings,
    SettingDescription,
    read_whole_environment,
)
from clp_deploy.environments import all_settings, example_environment
from clp_deploy.keys import write_keys
from clp_deploy.processes import PROCESS_TYPES, ProcessType
from clp_suite.environment import without_settings
from clp_suite.server_access import BrokerAccess, DatabaseAccess
from clp_suite.server_process import can_connect, free_ports
from tests.chassis.children import Child
from tests.support.waiting import until

START = 60.0
SECRET = "0123456789abcdef0123456789abcdef"
TYPE = {process_type.name: process_type for process_type in PROCESS_TYPES}


def command(process_type: ProcessType) -> list[str]:
    return [sys.executable, "-W", "ignore", "-m", *process_type.command]


def plain(environ: Mapping[str, str]) -> dict[str, str]:
    """An environment without the settings of whoever runs the tests."""
    return without_settings(os.environ) | dict(environ)


def ran(
    name: str, *arguments: str, folder: Path, environ: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*command(TYPE[name]), *arguments],
        cwd=folder,
        env=plain(environ),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_help_starts_nothing(tmp_path: Path) -> None:
    done = ran("delivery", "--help", folder=tmp_path, environ={})
    assert (done.returncode, done.stderr) == (0, "")
    assert "usage: python -m clp_notifications delivery" in done.stdout
    described = all_settings()["notifications"]
    assert all(f"  {one.variable}   (" in done.stdout for one in described)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("process_type", PROCESS_TYPES, ids=lambda one: one.name)
def test_help_tells_default_unit_values_and_meaning(process_type: ProcessType) -> None:
    text = settings_help(process_type.settings_type, process_type.service)
    words = " ".join(text.split())
    for one in all_settings()[process_type.service]:
        unit = f", in {one.setting.unit}" if one.setting.unit else ""
        assert (
            f"{one.variable} ({shown_default(one)})"
            f" {one.setting.meaning}: {one.expected}{unit}"
        ) in words


def test_every_number_has_bounds_and_every_duration_a_unit() -> None:
    for described in all_settings().values():
        for one in described:
            assert one.type not in {int, float} or one.setting.kind, one.variable
            assert not one.name.endswith("_s") or one.setting.unit == "s", one.variable
            assert (
                one.type is not str
                or not one.name.endswith(("_url", "_address"))
                or (one.setting.kind or one.name == "support_address")
            ), one.variable


def test_no_default_is_refused() -> None:
    for described in all_settings().values():
        for one in described:
            kind = one.setting.kind
            if kind is not None and one.default not in {None, ""}:
                assert kind.judge(one.default) is not False, one.variable


# fmt: off
REFUSED = [
    # variable                         value           the line says
    ("CLP_NOTIFICATIONS_DIGEST_HOUR",  "99",           "'99' is not usable; expected a whole number from 0 to 23"),
    ("CLP_NOTIFICATIONS_TIME_ZONE",    "Mars/Olympus", "'Mars/Olympus' is not usable; expected an IANA time zone"),
    ("CLP_NOTIFICATIONS_SMPT_URL",     "smtp://relay", "no such setting; did you mean CLP_NOTIFICATIONS_SMTP_URL?"),
    ("CLP_NOTIFICATIONS_SECRET",       "SECRET",       "is a placeholder, not a secret"),
    ("CLP_NOTIFICATIONS_HELP_ADDRESS", "help",         "'help' is not usable; expected a mail address"),
    ("CLP_NOTIFICATIONS_DATABASE_URL", None,           "is not set; expected postgresql+psycopg://"),
]
# fmt: on
GIVEN = {
    "CLP_NOTIFICATIONS_DATABASE_URL": "sqlite:///rows.db",
    "CLP_NOTIFICATIONS_SECRET": SECRET,
}


def test_each_wrong_setting_is_one_line_and_nothing_starts(tmp_path: Path) -> None:
    given = {variable: value for variable, value, _ in REFUSED if value is not None}
    done = ran("notifications", folder=tmp_path, environ=given)
    assert done.returncode == 1
    head, *refusals = done.stderr.splitlines()
    assert head == "invalid settings:"
    assert len(refusals) == len(REFUSED)
    for variable, _, line in REFUSED:
        assert any(one.startswith(f"{variable}: {line}") for one in refusals)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("process_type", PROCESS_TYPES, ids=lambda one: one.name)
def test_a_process_without_any_setting_names_what_it_needs(
    process_type: ProcessType,
) -> None:
    described = all_settings()[process_type.service]
    required = {one.variable for one in described if one.default is None}
    assert required
    with pytest.raises(InvalidSettings) as refused:
        read_whole_environment(process_type.settings_type, process_type.service, {})
    lines = str(refused.value).splitlines()
    assert {line.partition(":")[0] for line in lines} == required


NEEDED = [
    pytest.param(process_type, one, id=f"{process_type.name}-{one.name}")
    for process_type in PROCESS_TYPES
    for one in all_settings()[process_type.service]
    if one.default is None
]


@pytest.mark.parametrize(("process_type", "lost"), NEEDED)
def test_a_process_without_one_of_its_secrets_is_one_line(
    process_type: ProcessType, lost: SettingDescription
) -> None:
    """What the environment of a deployment sets, without one of them."""
    environ = complete_environment(process_type)
    read = partial(
        read_whole_environment, process_type.settings_type, process_type.service
    )
    read(environ)
    del environ[lost.variable]
    with pytest.raises(InvalidSettings) as refused:
        read(environ)
    (line,) = str(refused.value).splitlines()
    assert line.startswith(f"{lost.variable}: is not set; expected {lost.expected}")
    with pytest.raises(InvalidSettings) as refused:
        read(environ | {f"{lost.variable}_FILE": "/lost"})
    assert str(refused.value) == (
        f"{lost.variable}_FILE: cannot read /lost: No such file or directory"
    )


def complete_environment(process_type: ProcessType) -> dict[str, str]:
    """The example of `deploy/environments`, with a secret in each of its blanks."""
    lines = example_environment(process_type).splitlines()
    return {
        name: re.sub("PASSWORD|SECRET", SECRET, value)
        for name, _, value in (line.partition("=") for line in lines if line[:1] == "C")
    }


def test_delivery_starts_beside_the_process_that_serves_http(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        environ = GIVEN | {
            "CLP_NOTIFICATIONS_HTTP_ADDRESS": address,
            "CLP_NOTIFICATIONS_KEYS_DIR": str(tmp_path / "none"),
        }
        done = ran("delivery", folder=tmp_path, environ=environ)
    assert done.returncode == 1
    assert "KEYS_DIR" in done.stderr
    assert "HTTP_ADDRESS" not in done.stderr


def test_a_port_of_somebody_else_is_named_by_its_setting(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        environ = GIVEN | {"CLP_NOTIFICATIONS_HTTP_ADDRESS": address}
        done = ran("notifications", folder=tmp_path, environ=environ)
    assert done.stderr.splitlines()[1].startswith(
        f"CLP_NOTIFICATIONS_HTTP_ADDRESS: cannot listen on {address}: "
    )
    assert "Traceback" not in done.stderr


def test_missing_keys_are_one_line(tmp_path: Path) -> None:
    environ = {
        "CLP_PROJECTS_DATABASE_URL": "sqlite:///rows.db",
        "CLP_KEYS_DIR": str(tmp_path / "keys"),
    }
    done = ran("projects", folder=tmp_path, environ=environ)
    assert done.returncode == 1
    assert "CLP_PROJECTS_KEYS_DIR: " in done.stderr
    assert "projects.pem: No such file or directory" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_argument_nobody_knows_is_refused(tmp_path: Path) -> None:
    done = ran("projects", "serve", folder=tmp_path, environ={})
    assert done.returncode == 2
    assert "invalid choice: 'serve'" in done.stderr


# ---- --check


def test_check_names_what_cannot_be_reached(tmp_path: Path) -> None:
    broker, database, scanner = free_ports(3)
    environ = {
        "CLP_BROKER_URL": f"amqp://messages:hidden@127.0.0.1:{broker}//",
        "CLP_KEYS_DIR": "nowhere",
        "CLP_MESSAGES_DATABASE_URL": (
            f"postgresql+psycopg://messages:hidden@127.0.0.1:{database}/messages"
        ),
        "CLP_MESSAGES_FILES_DIR": str(tmp_path / "files"),
        "CLP_MESSAGES_SCANNER_URL": f"tcp://127.0.0.1:{scanner}",
        "CLP_MESSAGES_ATTACHMENT_POLICY": "nowhere.toml",
        "CLP_MESSAGES_HTTP_ADDRESS": "127.0.0.1:0",
    }
    done = ran("messages", "--check", folder=tmp_path, environ=environ)
    assert done.returncode == 1, done.stderr
    found = {line.partition(": ")[0]: line for line in done.stdout.splitlines()}
    refused = "connection refused, nothing listens there"
    assert found["CLP_MESSAGES_BROKER_URL"].endswith(refused)
    assert found["CLP_MESSAGES_DATABASE_URL"].endswith(refused)
    assert found["CLP_MESSAGES_SCANNER_URL"].endswith(refused)
    assert "messages.pem: No such file" in found["CLP_MESSAGES_KEYS_DIR"]
    assert "No such file" in found["CLP_MESSAGES_ATTACHMENT_POLICY"]
    assert found["CLP_MESSAGES_HTTP_ADDRESS"].endswith("usable")
    assert found["messages"].endswith("5 of them not usable")
    assert "hidden" not in done.stdout


@pytest.mark.broker
def test_check_is_content_with_what_can_be_reached(
    tmp_path: Path, rabbit: BrokerAccess, postgres: DatabaseAccess
) -> None:
    write_keys(tmp_path / "keys")
    (port,) = free_ports(1)
    sink = [sys.executable, "-m", "clp_suite.smtp_sink", str(port), str(tmp_path / "s")]
    environ = {
        "CLP_BROKER_URL": rabbit.url,
        "CLP_KEYS_DIR": str(tmp_path / "keys" / "notifications"),
        "CLP_NOTIFICATIONS_DATABASE_URL": postgres.create_database("checked"),
        "CLP_NOTIFICATIONS_SECRET": SECRET,
        "CLP_NOTIFICATIONS_SMTP_URL": f"smtp://127.0.0.1:{port}",
        "CLP_NOTIFICATIONS_HTTP_ADDRESS": "127.0.0.1:0",
    }
    relay_refuses = ran("delivery", "--check", folder=tmp_path, environ=environ)
    assert "CLP_NOTIFICATIONS_SMTP_URL: smtp://127.0.0.1:" in relay_refuses.stdout
    assert relay_refuses.returncode == 1
    with Child(sink, tmp_path / "sink.log"):
        until(lambda: can_connect(port), START)
        done = ran("delivery", "--check", folder=tmp_path, environ=environ)
    assert done.stdout.endswith("every setting is well-formed, all usable\n")
    assert done.returncode == 0
    postgres.drop_database("checked")


# ---- waiting


def test_a_process_tells_which_database_it_waits_for_and_ends_when_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (port,) = free_ports(1)
    for name in [name for name in os.environ if name.startswith("CLP_")]:
        monkeypatch.delenv(name)
    url = f"postgresql+psycopg://projects:hidden@127.0.0.1:{port}/projects"
    monkeypatch.setenv("CLP_PROJECTS_DATABASE_URL", url)
    with Child(command(TYPE["projects"]), tmp_path / "log") as process:
        line = (
            f"waiting for the database postgresql+psycopg://projects@127.0.0.1:{port}"
            "/projects: connection refused, nothing listens there"
        )
        until(lambda: process.has_logged(line), START)
        process.send(signal.SIGTERM)
        process.seconds_until_end()
        assert process.exit_code == 0
        assert process.log.count("waiting for") == 1
        assert "hidden" not in process.log


def test_a_file_that_cannot_be_a_database_ends_the_start_in_one_line(
    tmp_path: Path,
) -> None:
    environ = {"CLP_PROJECTS_DATABASE_URL": f"sqlite:///{tmp_path}/nowhere/rows.db"}
    done = ran("projects", folder=tmp_path, environ=environ)
    assert done.returncode == 1
    assert "rows.db: the file cannot be opened" in done.stderr
    assert "Traceback" not in done.stderr
