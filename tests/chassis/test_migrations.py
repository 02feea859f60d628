"""A schema is brought up to date once; who finds it so starts without the tool."""

import re
import sqlite3
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from clp_chassis.persistence.database import migrate
from clp_deploy.database_roles import OWNERS

SERVICES = Path(__file__).parents[2] / "services"

START = """
import sys
from clp_chassis.concurrency import monkey_patch
import clp_projects.__main__, clp_projects.service
from clp_chassis.persistence.database import migrate
migrate(sys.argv[1], "clp_projects")
print("alembic" in sys.modules)
"""


def loads_the_tool(url: str) -> bool:
    """Whether a new process that migrates this database loads Alembic."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", START, url],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip() == "True"


def test_the_tool_is_loaded_only_when_there_is_something_to_migrate(
    tmp_path: Path,
) -> None:
    url = f"sqlite:///{tmp_path / 'projects.db'}"
    assert [loads_the_tool(url) for _ in range(3)] == [True, False, False]


@pytest.mark.parametrize("service", OWNERS)
def test_files_of_revisions_begin_with_their_number_and_build_on_the_last(
    service: str,
) -> None:
    """By this a starting process sees that it has nothing to migrate."""
    folder = SERVICES / service / "src" / f"clp_{service}" / "migrations" / "versions"
    said = []
    for path in sorted(folder.glob("*.py")):
        text = path.read_text()
        (revision,) = re.findall(r'^revision = "(\w+)"$', text, re.MULTILINE)
        (before,) = re.findall(r"^down_revision = (.+)$", text, re.MULTILINE)
        assert path.name.partition("_")[0] == revision
        assert len(revision) == 4
        said.append((revision, before.strip('"')))
    assert said[0][1] == "None"
    assert all(later[1] == earlier[0] for earlier, later in pairwise(said))


def test_a_schema_of_before_is_brought_up_to_date(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'projects.db'}"
    migrate(url, "clp_projects")
    database = sqlite3.connect(tmp_path / "projects.db")
    database.execute("drop table promises")
    database.execute("update alembic_version set version_num = '0004'")
    database.commit()
    migrate(url, "clp_projects")
    assert database.execute("select count(*) from promises").fetchone() == (0,)
    database.close()
