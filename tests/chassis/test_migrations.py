"""Schemas: upgraded once, refused when too old, and Alembic only when needed."""

import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest

from clp_chassis.persistence.database import UnsupportedSchema, migrate
from clp_deploy.database_roles import DATABASES

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
