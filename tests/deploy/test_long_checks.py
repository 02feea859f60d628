"""`make test-all`: one failed part hides none of the others, and the run fails."""

import os
import shutil
import subprocess
from pathlib import Path

from tests.architecture.tree import ROOT

MAKE = """#!/bin/sh
case $1 in
  broken) echo the broken line; exit 2;;
  skipped) printf '\\n!!! SKIPPED: no debootstrap\\n';;
esac
"""


def run(folder: Path, *targets: str) -> subprocess.CompletedProcess[str]:
    for script in ("deploy/checks/test_all.sh", "deploy/install/say.sh"):
        (folder / script).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / script, folder / script)
    (folder / "bin").mkdir()
    (folder / "bin/make").write_text(MAKE)
    (folder / "bin/make").chmod(0o755)
    return subprocess.run(
        ["bash", "deploy/checks/test_all.sh", *targets],
        cwd=folder,
        env=dict(os.environ, PATH=f"{folder / 'bin'}:{os.environ['PATH']}"),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_failed_part_is_shown_and_the_others_still_run(tmp_path: Path) -> None:
    ended = run(tmp_path, "broken", "skipped", "whole")
    assert ended.returncode == 1
    assert "2 of 3 passed" in ended.stdout
    assert "the broken line" in ended.stdout
    assert "!!! SKIPPED: no debootstrap" in ended.stdout
    assert (tmp_path / "build/test-all/whole.log").exists()


def test_a_run_whose_parts_all_passed_ends_well(tmp_path: Path) -> None:
    assert run(tmp_path, "whole", "skipped").returncode == 0


def test_a_run_of_nothing_is_refused(tmp_path: Path) -> None:
    ended = run(tmp_path)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == "error: name at least one target\n"
