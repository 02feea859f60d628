"""Whatever a person can mistype ends in one line that names it, never in a trace."""

import subprocess
from pathlib import Path

import pytest

from clp_chassis.one_line_errors import in_one_line
from clp_deploy.keys import write_keys
from clp_ops.__main__ import main as ops
from clp_suite.server_process import free_ports
from tests.architecture.tree import ROOT
from tests.support.forked_commands import run_forked


def filled(folder: Path) -> Path:
    """A folder with good keys, damaged keys and a file where a folder belongs."""
    write_keys(folder / "keys")
    (folder / "damaged").mkdir()
    for name in ("operations.pem", "notifications.pem", "trusted.json"):
        (folder / "damaged" / name).write_text("no key at all")
    (folder / "file").touch()
    return folder


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return filled(tmp_path)


# fmt: off
OPS = [
    # the broker                          keys               arguments                                     the line
    ("rabbit",                            "keys/operations", ["status"],                                   "CLP_BROKER_URL: expected amqps://"),
    ("amqp://g:g@localhost:http//",       "keys/operations", ["redrive"],                                  "CLP_BROKER_URL: Port could not be cast"),
    ("amqp://g:g@localhost//?x=1",        "keys/operations", ["dead"],                                     "CLP_BROKER_URL: broker address with unknown parameters: x"),
    ("amqp://g:g@localhost:{port}//",     "keys/operations", ["queues"],                                   "the broker: connection refused, nothing listens there"),
    ("amqp://g:g@nowhere.invalid//",      "keys/operations", ["queues"],                                   "the broker: unknown host"),
    ("amqp://g:g@localhost:{port}//",     "keys/operations", ["status"],                                   "the broker amqp://g@localhost:{port}//: connection refused, nothing listens there; is"),
    ("amqp://g:g@localhost:{port}//",     "keys/directory",  ["withdraw", "p1", "north"],                  "the broker amqp://g@localhost:{port}//: connection refused, nothing listens there; is"),
    ("amqp://g:g@localhost//",            "damaged",         ["dead"],                                     "{place}/damaged/operations.pem"),
    ("amqp://g:g@localhost//",            "nowhere",         ["dead"],                                     "{place}/nowhere holds no operations.pem"),
]
# fmt: on


@pytest.mark.parametrize(("broker", "keys", "arguments", "line"), OPS)
def test_a_wrong_address_or_key_of_the_operators_command(
    broker: str, keys: str, arguments: list[str], line: str, place: Path
) -> None:
    (port,) = free_ports(1)
    environ = {
        "CLP_BROKER_URL": broker.format(port=port),
        "CLP_KEYS_DIR": str(place / keys),
    }
    with pytest.raises(SystemExit) as ended:
        ops(["--timeout", "1", *arguments], environ)
    assert str(ended.value).startswith(line.format(place=place, port=port))
    assert len(str(ended.value).splitlines()) == 1


@pytest.mark.parametrize("folder", ["elsewhere", "file", "keys"])
def test_a_rebuild_elsewhere_creates_nothing(
    folder: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(place.rglob("*"))
    assert ops(["rebuild-index", "--folder", str(place / folder)], {}) == 1
    assert "holds no index" in capsys.readouterr().err
    assert sorted(place.rglob("*")) == before


COMMANDS = [
    ["clp_deploy.keys", "{place}/file"],
    ["clp_deploy", "secrets", "{place}/file"],
    ["clp_deploy", "files", "{place}/file"],
    ["clp_suite.portal", "--port", "99999"],
    ["clp_suite.demo", "--data-dir", "{place}/file"],
    ["clp_suite.smtp_sink", "99999", "{place}/sink"],
    ["clp_suite.entrypoint", "mesages"],
    ["clp_search", "rebuild"],
    ["clp_ops", "--timeout", "-1", "status"],
    ["clp_ops", "dead", "--limit", "0"],
    [
        "clp_ops",
        "--keys",
        "{place}/keys/gateway",
        "passport",
        "a b",
        "--service",
        "search",
    ],
    ["clp_suite.up", "status", "--data", "{place}/nowhere"],
    ["clp_suite.up", "start", "DELIVRY=3"],
    ["clp_notifications", "deliver"],
    ["clp_messages", "--chek"],
]


@pytest.fixture(scope="module")
def refusals(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[int, str]]:
    """How each command ended, and its standard error."""
    place = filled(tmp_path_factory.mktemp("commands"))
    commands = [[one.format(place=place) for one in command] for command in COMMANDS]
    return run_forked(commands, place)


@pytest.mark.parametrize(
    "number", range(len(COMMANDS)), ids=[" ".join(one[:2]) for one in COMMANDS]
)
def test_a_wrong_folder_port_or_argument_of_a_command(
    number: int, refusals: list[tuple[int, str]]
) -> None:
    code, errors = refusals[number]
    assert code in {1, 2}
    assert errors
    assert "Traceback" not in errors


# fmt: off
PYTHONS = [
    # what stands behind the name                        the line
    ("case $* in *exit*) exit 1;; *) echo 3.9;; esac",   "is Python 3.9; name one from 3.11 to 3.13, or leave PYTHON out"),
    ("exit 1",                                           "no such program, or it is no Python; name one from 3.11 to 3.13"),
    (None,                                               "no such program, or it is no Python; name one from 3.11 to 3.13"),
    ("case $* in *exit*) ;; *) echo 3.13;; esac",        "is Python 3.13 and {place}/environment is of 3.12: remove {place}/environment, or name another folder, VENV=build/python-3.13"),
]
# fmt: on


@pytest.mark.parametrize(("script", "line"), PYTHONS)
def test_a_python_that_does_not_fit_is_refused_by_make(
    script: str | None, line: str, place: Path
) -> None:
    """Who names a Python gets that one, never another one in silence."""
    for path, text in (("python", script), ("environment/bin/python", "echo 3.12")):
        if text is not None:
            program = place / path
            program.parent.mkdir(parents=True, exist_ok=True)
            program.write_text(f"#!/bin/sh\n{text}\n")
            program.chmod(0o755)
    done = subprocess.run(
        ["make", "help", f"PYTHON={place}/python", f"VENV={place}/environment"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    first, *others = done.stderr.splitlines()
    assert first.startswith("error: ")
    assert first.endswith(line.format(place=place))
    assert len(others) == 1  # make's own
    assert done.returncode == 2
    assert not done.stdout


def test_an_error_of_the_program_keeps_its_trace() -> None:
    with pytest.raises(ZeroDivisionError), in_one_line():
        raise ZeroDivisionError
