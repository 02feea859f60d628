"""T22: what lies on the disk is for the account that runs the service, and no other."""

import os
import stat
import subprocess
import sys
from pathlib import Path

from clp_suite import EmbeddedSuite
from clp_suite.story import put_cast

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
            put_cast(suite.caller(service="directory"))
            directory = suite.caller(service="directory").projects
            directory.put_project(id="p1", title="Night Train")
            file = suite.files("ivy").upload(
                channel="p1/broadcast", name="cue.csv", body=b"a,b\n"
            )
            suite.caller("ivy").messages.post(
                channel="p1/broadcast", key="k", attachments=[file]
            )
            suite.settle()
    finally:
        os.umask(before)

    assert {"keys", "index", "files", "messages.db"} <= {p.name for p in data.iterdir()}
    assert open_to_others(data) == []


def test_a_process_of_its_own_makes_no_file_that_others_read(tmp_path: Path) -> None:
    """The launcher of every process type closes what is made after it."""
    said = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", LAUNCHED, str(tmp_path / "made")],
        env=os.environ | {"CLP_BROKER_URL": "inprocess://modes/"},
        capture_output=True,
        text=True,
        check=False,
    )

    made = tmp_path / "made"
    assert made.exists(), said.stderr
    assert not made.stat().st_mode & OTHERS


LAUNCHED = """
from clp_chassis import patched
import sys
from dataclasses import dataclass
from pathlib import Path
from clp_chassis import running

@dataclass(frozen=True, kw_only=True)
class Settings:
    broker_url: str = ""
    keys_dir: str = ""

def build(settings, surroundings):
    raise AssertionError("never reached")

class Keys:
    @staticmethod
    def from_files(*_):
        Path(sys.argv[1]).touch()
        raise SystemExit(0)

running.Surroundings = Keys
running.main("projects", Settings, build)
"""
