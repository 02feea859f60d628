"""Schemas: upgraded once, refused when too old, and Alembic only when needed."""

import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest

from clp_chassis.clock import new_id
from clp_chassis.persistence.database import (
    UnsupportedSchema,
    migrate,
    prepare_schema,
)
from clp_deploy.database_roles import DATABASES
from clp_deploy.keys import write_keys
from clp_suite.server_access import DatabaseAccess

SERVICES = Path(__file__).parents[2] / "services"

START = """
import sys
from clp_chassis.concurrency import monkey_patch
import clp_projects.__main__, clp_projects.service
from clp_chassis.persistence.database import migrate
migrate(sys.argv[1], "clp_projects")
print("alembic" in sys.modules)
"""


def imports_alembic(url: str) -> bool:
    """Whether a new process that migrates this database imports Alembic."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", START, url],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip() == "True"


def test_alembic_is_imported_only_when_there_is_something_to_migrate(
    tmp_path: Path,
) -> None:
    url = f"sqlite:///{tmp_path / 'projects.db'}"
    assert [imports_alembic(url) for _ in range(3)] == [True, False, False]


@pytest.mark.parametrize("service", DATABASES)
def test_files_of_revisions_begin_with_their_number_and_build_on_the_last(
    service: str,
) -> None:
    """From the names a starting process sees that it has nothing to migrate."""
    folder = SERVICES / service / "src" / f"clp_{service}" / "migrations" / "versions"
    found = []
    for path in sorted(folder.glob("*.py")):
        text = path.read_text()
        (revision,) = re.findall(r'^revision = "(\w+)"$', text, re.MULTILINE)
        (parent,) = re.findall(r"^down_revision = (.+)$", text, re.MULTILINE)
        assert path.name.partition("_")[0] == revision
        assert len(revision) == 4
        found.append((revision, parent.strip('"')))
    assert found[0][1] == "None"
    assert all(later[1] == earlier[0] for earlier, later in pairwise(found))


ENVIRONMENT = """
from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
"""

REVISION = """
from alembic import op

revision = "{revision}"
down_revision = {parent}


def upgrade() -> None:
    op.execute("create table t{revision} (id integer)")
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A package with two revisions of its schema."""
    name = f"sample_{tmp_path.name.replace('-', '_')}"
    folder = tmp_path / name / "migrations"
    (folder / "versions").mkdir(parents=True)
    (tmp_path / name / "__init__.py").touch()
    (folder / "env.py").write_text(ENVIRONMENT)
    for revision, parent in (("1000", None), ("1001", "1000")):
        path = folder / "versions" / f"{revision}_sample.py"
        path.write_text(REVISION.format(revision=revision, parent=repr(parent)))
    monkeypatch.syspath_prepend(str(tmp_path))
    return name


def at_revision(path: Path, revision: str) -> None:
    """Make a database that a program of this revision left."""
    with closing(sqlite3.connect(path)) as database:
        database.execute("create table alembic_version (version_num varchar(32))")
        database.execute("insert into alembic_version values (?)", (revision,))
        database.commit()


def tables_of(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as database:
        rows = database.execute("select name from sqlite_master where type = 'table'")
        return {name for (name,) in rows}


# fmt: off
GENERATION = "2000"
UPGRADES = [
    # a database at | gets the tables
    ("1000",          {"t1001"}),
    ("1001",          set()),
    # left as it is: in a rolling update an old program may start once more
    ("1002",          set()),
]
# fmt: on


@pytest.mark.parametrize(("revision", "new"), UPGRADES)
def test_a_schema_gets_the_revisions_it_lacks(
    package: str, tmp_path: Path, revision: str, new: set[str]
) -> None:
    path = tmp_path / "x.db"
    at_revision(path, revision)
    migrate(f"sqlite:///{path}", package)
    assert tables_of(path) == {"alembic_version"} | new


def test_a_database_made_before_the_first_release_is_refused(
    package: str, tmp_path: Path
) -> None:
    path = tmp_path / "x.db"
    at_revision(path, "0005")
    with pytest.raises(UnsupportedSchema, match=r"before 0\.1\.0.*empty data folder"):
        migrate(f"sqlite:///{path}", package)
    assert tables_of(path) == {"alembic_version"}


def test_a_schema_of_a_later_generation_is_refused(
    package: str, tmp_path: Path
) -> None:
    path = tmp_path / "x.db"
    at_revision(path, GENERATION)
    with pytest.raises(UnsupportedSchema, match=r"2000.*1001: start a newer program"):
        prepare_schema(f"sqlite:///{path}", package)
    assert tables_of(path) == {"alembic_version"}


# fmt: off
REFUSALS = [
    # a PostgreSQL database | is refused by a process that serves
    (None,                    "schema of the database is empty.*needs 1001: run `python -m"),
    ("1000",                  "schema of the database is at 1000.*needs 1001: run `python -m"),
    ("1001",                  None),
    # in a rolling update the new program migrates first
    ("1002",                  None),
    (GENERATION,              "at 2000.*later generation.*start a newer program"),
    ("0005",                  "made before"),
]
# fmt: on


@pytest.mark.broker
@pytest.mark.parametrize(("revision", "refusal"), REFUSALS)
def test_a_process_that_serves_changes_no_schema(
    package: str, postgres: DatabaseAccess, revision: str | None, refusal: str | None
) -> None:
    name = f"served_{new_id()}"
    url = postgres.create_database(name)
    with postgres.connect(f"{postgres.prefix}{name}") as connection:
        if revision is not None:
            connection.execute("create table alembic_version (version_num text)")
            connection.execute("insert into alembic_version values (%s)", (revision,))
        if refusal is None:
            prepare_schema(url, package)
        else:
            with pytest.raises(UnsupportedSchema, match=refusal):
                prepare_schema(url, package)
        tables = connection.execute(
            "select tablename from pg_tables where schemaname = 'public'"
        ).fetchall()
    assert tables == ([] if revision is None else [("alembic_version",)])
    postgres.drop_database(name)


def command(*arguments: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-m", *arguments],
        env=os.environ | environ,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.broker
@pytest.mark.parametrize("service", ["messages", "notifications", "search"])
def test_the_command_migrates_and_an_unmigrated_database_is_refused(
    service: str, postgres: DatabaseAccess, tmp_path: Path
) -> None:
    name = f"{service}_{new_id()}"
    owned = postgres.create_database(name)
    write_keys(tmp_path)
    setting = "ENGINE" if service == "search" else "DATABASE"
    serving = {
        f"CLP_{service.upper()}_{setting}_URL": owned,
        f"CLP_{service.upper()}_SECRET": 8 * "long-enough",
        f"CLP_{service.upper()}_KEYS_DIR": str(tmp_path / service),
        f"CLP_{service.upper()}_HTTP_ADDRESS": "127.0.0.1:0",
        "CLP_SEARCH_DATA_DIR": str(tmp_path),
    }
    if service == "search":
        del serving["CLP_SEARCH_HTTP_ADDRESS"]
    if service == "messages":
        del serving["CLP_MESSAGES_SECRET"]
    refused = command(f"clp_{service}", **serving)
    assert refused.returncode == 1
    (line,) = refused.stderr.splitlines()
    assert line.startswith(f"{service}: the schema of the database is empty")
    assert line.endswith(f"run `python -m clp_{service} migrate`")
    variable = f"CLP_{service.upper()}_MIGRATION_URL"
    migrated = command(f"clp_{service}", "migrate", **{variable: owned})
    folder = SERVICES / service / "src" / f"clp_{service}" / "migrations" / "versions"
    newest = max(path.name.partition("_")[0] for path in folder.glob("[0-9]*.py"))
    assert migrated.stdout == f"{service}: the schema is at {newest}\n"
    serving_url = postgres.serving_url(name)
    prepare_schema(serving_url, f"clp_{service}")
    postgres.drop_database(name)


@pytest.mark.broker
def test_a_role_that_serves_cannot_migrate(postgres: DatabaseAccess) -> None:
    name = f"served_{new_id()}"
    migrate(postgres.create_database(name), "clp_projects")
    url = postgres.serving_url(name)
    with postgres.connect(f"{postgres.prefix}{name}") as connection:
        connection.execute("delete from alembic_version")
    result = command("clp_projects", "migrate", CLP_PROJECTS_DATABASE_URL=url)
    assert result.returncode == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith("projects: the role cannot migrate (InsufficientPrivilege)")
    assert "CLP_PROJECTS_MIGRATION_URL" in line
    postgres.drop_database(name)


def test_a_service_without_a_database_has_nothing_to_migrate() -> None:
    result = command("clp_search", "migrate")
    assert (result.returncode, result.stdout) == (0, "search: no database to migrate\n")


def test_an_unknown_command_is_refused() -> None:
    result = command("clp_projects", "migrte")
    assert "usage: python -m clp_projects" in result.stderr
    assert "invalid choice: 'migrte'" in result.stderr
