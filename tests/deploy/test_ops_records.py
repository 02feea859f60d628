"""The commands of `clp-ops` about people, partners and projects, on running services."""

import io
import json
import shlex
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from clp_contracts import projects as contract
from clp_contracts.client.rpc_client import RpcClient
from clp_contracts.errors import CallFailed
from clp_ops.__main__ import LOCAL, OF_DIRECTORY, OF_OPERATIONS, main
from clp_ops.arguments import parse_arguments, parser
from clp_suite import EmbeddedSuite

PORTAL = "dub_portal_user"
CSV = f"""\
record,id,name,email,partner,internal,roles,title,project,languages,active
person,nat,Nat Moreau,nat@north.example,north,,{PORTAL},,,,
person,ivy,"Moss, Ian",ivy@studio.example,,yes,{PORTAL},,,,
person,old,Olga Old,old@studio.example,,yes,,,,,no
partner,north,North Dubbing,,,,,,,,
project,p1,,,,,,Night Train,,,
assignment,,,,north,,,,p1,fr fr-CA,
"""


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedSuite]:
    with EmbeddedSuite(tmp_path_factory.mktemp("records")) as running:
        yield running


class Administrator:
    """Runs `clp-ops` with the keys of one holder."""

    def __init__(self, suite: EmbeddedSuite, holder: str) -> None:
        self._environ = {"CLP_BROKER_URL": suite.broker_url}
        self._keys = str(suite.data_dir / "keys" / holder)

    def run(self, *arguments: object) -> tuple[int, str]:
        output = io.StringIO()
        console = Console(file=output, width=200)
        line = ["--keys", self._keys, *map(str, arguments)]
        return main(line, self._environ, console), output.getvalue()

    def json(self, *arguments: object) -> Any:
        return json.loads(self.run(*arguments, "--json")[1])


@pytest.fixture
def directory(suite: EmbeddedSuite) -> Administrator:
    return Administrator(suite, "directory")


def person_of(suite: EmbeddedSuite, id: str) -> contract.PersonFacts:
    (found,) = suite.client(service="directory").projects.records(people=[id]).people
    return found


def test_records_are_stored_one_by_one(
    suite: EmbeddedSuite, directory: Administrator
) -> None:
    assert directory.run("partner", "west", "--name", "West Voices") == (
        0,
        "west is stored.\n",
    )
    _, again = directory.run("partner", "west", "--name", "West Voices")
    assert again == "west was stored like this before.\n"
    title = ("project", "p-west", "--title", "[bold]Night[/bold]")
    assert directory.json(*title) == {"id": "p-west", "changed": True}
    named = ("--name", "Wes Tanner", "--email", "wes@west.example", "--role", PORTAL)
    directory.run("person", "wes", *named, "--partner", "west", "--language", "fr")
    stored = person_of(suite, "wes")
    assert (stored.partner, stored.roles, stored.language) == ("west", (PORTAL,), "fr")
    moved = ("--internal", "--moved-from", "west", "--inactive")
    assert directory.json("person", "wes", *named, *moved)["changed"]
    stored = person_of(suite, "wes")
    assert (stored.partner, stored.active) == (None, False)


def test_a_partner_is_assigned_and_withdrawn(
    suite: EmbeddedSuite, directory: Administrator
) -> None:
    directory.run("partner", "far", "--name", "Far Dubbing")
    directory.run("project", "p-far", "--title", "Far")
    assert directory.json("assign", "p-far", "far", "fr", "de")["changed"]
    assert directory.json("withdraw", "p-far", "far")["changed"]
    client = suite.client(service="directory")
    (found,) = client.projects.records(project_ids=["p-far"]).assignments
    assert found.withdrawn
    assert set(found.languages) == {"fr", "de"}


def test_a_refusal_is_one_sentence_with_its_code(directory: Administrator) -> None:
    with pytest.raises(SystemExit) as refused:
        directory.run("assign", "nothing", "nobody")
    assert str(refused.value).startswith("refused: project.missing: ")


def test_a_passport_of_the_folder_opens_a_service(suite: EmbeddedSuite) -> None:
    suite.client(service="directory").projects.put_person(
        id="pia",
        name="Pia Pass",
        email="pia@studio.example",
        internal=True,
        roles=[PORTAL],
    )
    gateway = Administrator(suite, "gateway")
    code, printed = gateway.run("passport", "pia", "--service", "projects")
    assert code == 0
    context = {"auth_token": printed.strip()}
    assert suite.call("projects.me", {}, context)["id"] == "pia"
    printed_json = gateway.json("passport", "pia", "--service", "projects")
    assert printed_json.keys() == {"person", "service", "passport"}


@pytest.mark.parametrize(
    ("holder", "line", "missing"),
    [
        ("operations", "project p9 --title x", "directory.pem"),
        ("directory", "status", "operations.pem"),
        ("directory", "passport ivy --service messages", "people.pem"),
    ],
)
def test_a_folder_without_the_key_is_named(
    suite: EmbeddedSuite, holder: str, line: str, missing: str
) -> None:
    with pytest.raises(SystemExit, match=f"{holder} holds no {missing}"):
        Administrator(suite, holder).run(*shlex.split(line))


# ---- import


@pytest.fixture
def csv_file(tmp_path: Path) -> Path:
    path = tmp_path / "people.csv"
    path.write_text(CSV, encoding="utf-8")
    return path


@pytest.fixture
def new_suite(tmp_path: Path) -> Iterator[EmbeddedSuite]:
    with EmbeddedSuite(tmp_path / "suite") as running:
        yield running


def test_an_import_shows_stores_and_then_finds_nothing_to_do(
    new_suite: EmbeddedSuite, csv_file: Path
) -> None:
    suite, directory = new_suite, Administrator(new_suite, "directory")
    code, shown = directory.run("import", csv_file, "--dry-run")
    assert code == 0
    assert "6 records would change; 0 are stored like this already." in shown
    assert "Moss, Ian" in shown
    assert not suite.client(service="directory").projects.records(people=["ivy"]).people

    code, shown = directory.run("import", csv_file)
    assert (code, "6 of 6 records stored" in shown) == (0, True)
    assert person_of(suite, "nat").partner == "north"
    assert not person_of(suite, "old").active
    projects = suite.client(service="directory").projects
    (assigned,) = projects.records(project_ids=["p1"]).assignments
    assert set(assigned.languages) == {"fr", "fr-CA"}

    report = directory.json("import", csv_file)
    assert (report["stored"], report["unchanged"], report["differences"]) == (0, 6, [])


def test_an_import_shows_the_field_that_differs(
    directory: Administrator, csv_file: Path
) -> None:
    directory.run("import", csv_file)
    csv_file.write_text(
        CSV.replace("Nat Moreau", "Nat M.") + "withdrawal,,,,north,,,,p1,,\n"
    )
    csv_file.write_text(
        "\n".join(
            line
            for line in csv_file.read_text().splitlines()
            if "assignment" not in line
        )
    )
    report = directory.json("import", csv_file, "--dry-run")
    assert report["differences"] == [
        {
            "record": "person",
            "id": "nat",
            "field": "name",
            "stored": "Nat Moreau",
            "new": "Nat M.",
        },
        {
            "record": "withdrawal",
            "id": "p1 north",
            "field": "assigned",
            "stored": True,
            "new": False,
        },
    ]


def test_an_interrupted_import_goes_on_where_it_stopped(
    directory: Administrator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [
        {
            "id": f"n{n}",
            "name": f"Nia {n}",
            "email": f"n{n}@s.example",
            "internal": True,
        }
        for n in range(5)
    ]
    path = tmp_path / "people.json"
    path.write_text(json.dumps({"people": people}))
    with monkeypatch.context() as patched:
        _fail_after(2, patched)
        with pytest.raises(SystemExit, match="2 of 5 records are stored"):
            directory.run("import", path)
    report = directory.json("import", path)
    assert (report["stored"], report["unchanged"]) == (3, 2)


def _fail_after(calls: int, monkeypatch: pytest.MonkeyPatch) -> None:
    call, made = RpcClient.call, []

    def failing(self: RpcClient, method: Any, request: Any) -> Any:
        if method is contract.PUT_PERSON:
            made.append(request)
            if len(made) > calls:
                raise CallFailed("projects.put_person: no response")
        return call(self, method, request)

    monkeypatch.setattr(RpcClient, "call", failing)


def test_a_refused_record_does_not_stop_the_others(
    suite: EmbeddedSuite, directory: Administrator, tmp_path: Path
) -> None:
    path = tmp_path / "people.csv"
    path.write_text(
        "record,id,name,email,partner,internal\n"
        "person,ghost,Gus Ghost,gus@ghost.example,ghosts,\n"
        "person,guy,Guy Good,guy@studio.example,,yes\n"
    )
    code, shown = directory.run("import", path)
    assert code == 1
    assert "partner.missing" in shown
    assert person_of(suite, "guy").name == "Guy Good"


MISTAKES = {
    "no column": ("a.csv", "id,name\nx,y\n", "no column 'record'"),
    "unknown kind": ("a.csv", "record,id\nghost,x\n", "line 2: 'ghost' is none of"),
    "unknown field": ("a.csv", "record,id,nam\npartner,x,y\n", "line 2: "),
    "no truth": ("a.csv", "record,id,internal\nperson,x,perhaps\n", "is yes or no"),
    "twice": ("a.csv", "record,id,name\npartner,x,y\npartner,x,z\n", "named twice"),
    "too many cells": ("a.csv", "record,id\npartner,x,y\n", "more cells"),
    "no JSON": ("a.json", "{", "a.json: "),
    "another list": ("a.json", '{"persons": []}', "expected an object of the lists"),
    "no object": ("a.json", '{"people": [7]}', "people, number 1: it is no object"),
    "no file": ("b.csv", None, "No such file"),
}


@pytest.mark.parametrize(("name", "text", "sentence"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_in_the_file_is_named_with_its_place(
    directory: Administrator, tmp_path: Path, name: str, text: str | None, sentence: str
) -> None:
    path = tmp_path / name
    if text is not None:
        path.write_text(text)
    with pytest.raises(SystemExit) as stopped:
        directory.run("import", path)
    assert sentence in str(stopped.value)


# ---- the command line


def commands() -> dict[str, ArgumentParser]:
    (actions,) = (
        one.choices for one in parser()._actions if isinstance(one.choices, dict)
    )
    found: dict[str, ArgumentParser] = actions
    return found


def test_every_command_is_dispatched() -> None:
    assert set(commands()) == {*LOCAL, *OF_DIRECTORY, *OF_OPERATIONS}


@pytest.mark.parametrize("name", commands())
def test_every_command_has_json_and_examples_that_parse(name: str) -> None:
    command = commands()[name]
    assert "--json" in command.format_help()
    _, _, examples = command.format_help().partition("examples:\n")
    lines = [line.strip() for line in examples.splitlines() if line.strip()]
    assert lines
    for line in lines:
        written = line.partition(" > ")[0].partition(" | ")[0]
        program, *arguments = shlex.split(written)
        assert program == "clp-ops"
        assert parse_arguments(arguments).command == name


def test_bash_completes_commands_and_options() -> None:
    script = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "clp_ops", "completion", "bash"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    program = """
        COMP_WORDS=(clp-ops "$@"); COMP_CWORD=$#; COMP_LINE="clp-ops $*"
        _shtab_clp_ops; printf '%s\\n' "${COMPREPLY[@]}"
    """

    def completed(*words: str) -> set[str]:
        ran = subprocess.run(
            ["bash", "-c", script + program, "bash", *words],
            capture_output=True,
            text=True,
            check=False,
        )
        return set(ran.stdout.split())

    assert {"passport", "partner", "person", "project"} == completed("p")
    assert "--dry-run" in completed("import", "--d")
