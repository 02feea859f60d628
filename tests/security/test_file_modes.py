"""T22: what lies on the disk is for the account that runs the service, and no other."""

import os
import stat
import subprocess
import sys
from pathlib import Path

from clp_suite import EmbeddedSuite
from clp_suite.environment import without_settings
from clp_suite.sample_data import put_cast

OTHERS = stat.S_IRWXG | stat.S_IRWXO


def open_to_others(folder: Path) -> list[str]:
    """What somebody else could open: every folder on the way lets them through."""
    if not folder.stat().st_mode & OTHERS:
        return []
    found = [str(folder)]
    for path in folder.iterdir():
        if path.is_dir():
            found += open_to_others(path)
        elif path.stat().st_mode & OTHERS:
            found.append(str(path))
    return found


def test_nothing_of_a_suite_is_open_to_other_accounts(tmp_path: Path) -> None:
    data = tmp_path / "data"
    before = os.umask(0o022)
    try:
        with EmbeddedSuite(data) as suite:
            put_cast(suite.client(service="directory"))
            directory = suite.client(service="directory").projects
            directory.put_project(id="p1", title="Night Train")
            file = suite.files("ivy").upload(
                channel="p1/broadcast", name="cue.csv", body=b"a,b\n"
            )
            suite.client("ivy").messages.post(
                channel="p1/broadcast", key="k", attachments=[file]
            )
            suite.settle()
    finally:
        os.umask(before)

    assert {"keys", "index", "files", "messages.db"} <= {p.name for p in data.iterdir()}
    assert open_to_others(data) == []


def test_a_process_of_its_own_makes_no_file_that_others_read(tmp_path: Path) -> None:
    made = tmp_path / "projects.db"
    variables = {
        "CLP_PROJECTS_DATABASE_URL": f"sqlite:///{made}",
        # It has made its database by the time it misses its key.
        "CLP_KEYS_DIR": str(tmp_path / "no-keys"),
        "CLP_BROKER_URL": "inprocess://modes/",
    }
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "clp_projects"],
        env=without_settings(os.environ) | variables,
        capture_output=True,
        text=True,
        umask=0o022,
        check=False,
    )

    assert made.exists(), result.stderr
    assert not made.stat().st_mode & OTHERS
