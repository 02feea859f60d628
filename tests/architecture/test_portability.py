"""No file names a path of one machine or a registry; none is left over from a run."""

from pathlib import Path

import pytest

from tests.architecture.fixtures import make_tree
from tests.architecture.portability import leftovers, machine_paths, tracked_files
from tests.architecture.tree import ROOT, report


def test_no_file_names_a_path_of_one_machine_or_a_registry() -> None:
    found = machine_paths(ROOT)

    assert not found, report(found)


@pytest.mark.parametrize(
    "line",
    [
        "cd /wo" + "rk/main",
        'DATA = "/ro' + 'ot/data"',
        "see /ho" + "me/ivy/notes",
        "rm /tm" + "p/x",
        "index-url = https://py" + "pi.example/simple",
        "see https://files.python" + "hosted.org/x",
        "deb http://deb.deb" + "ian.org/x stable main",
        "read ../sha" + "red/notes",
    ],
)
@pytest.mark.parametrize("name", ["deploy/x.yaml", "Makefile", ".ci/run", "libs/a.py"])
def test_a_place_outside_the_checkout_is_refused(
    line: str, name: str, tmp_path: Path
) -> None:
    found = machine_paths(make_tree(tmp_path, {name: f"\n{line}\n"}))

    assert [(finding.path, finding.line) for finding in found] == [(name, 2)]


@pytest.mark.parametrize(
    "line",
    [
        "/usr/lib/postgresql/15/bin",
        "https://studio.example/work/p1",
        "a/wo" + "rk/b",
        "/tm" + "p",
    ],
)
def test_places_of_any_machine_are_not(line: str, tmp_path: Path) -> None:
    assert not machine_paths(make_tree(tmp_path, {"deploy/x.yaml": line}))


def test_git_holds_no_file_of_a_local_run() -> None:
    """Such a database or private key comes in by `git add --force` alone."""
    assert leftovers(tracked_files(ROOT)) == []


def test_a_file_of_a_local_run_is_reported() -> None:
    names = ["libs/a.py", "portal-data/keys/people.pem", "tests/x/__pycache__/a.pyc"]

    assert leftovers(names) == names[1:]
