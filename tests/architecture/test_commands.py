"""Benches and tests import what is there, and benches explain themselves."""

from pathlib import Path

from tests.architecture.commands import absent_names, commands_without_help
from tests.architecture.fixtures import make_tree
from tests.architecture.tree import ROOT, report, sources_of


def test_every_name_imported_from_our_own_modules_exists() -> None:
    absent = absent_names(sources_of(ROOT))

    assert not absent, report(absent)


def test_a_name_that_moved_is_reported(tmp_path: Path) -> None:
    make_tree(
        tmp_path,
        {
            "tests/__init__.py": "",
            "tests/world.py": "from os import path\nHERE, (THERE, *_) = 1, (2,)\n",
            "bench/speed.py": "from tests import world\n"
            "from tests.world import HERE, THERE, path\n"
            "from tests.world import GONE\n",
        },
    )

    (absent,) = absent_names(sources_of(tmp_path))

    assert (absent.path, absent.line) == ("bench/speed.py", 3)


def test_every_command_of_a_target_has_help() -> None:
    files = ("Makefile", "bench/targets.mk")
    targets = "".join((ROOT / name).read_text(encoding="utf-8") for name in files)

    assert commands_without_help(targets, sources_of(ROOT)) == []


def test_a_command_without_help_is_reported(tmp_path: Path) -> None:
    make_tree(tmp_path, {"bench/a.py": "import sys\n", "tests/b/__main__.py": ""})

    found = commands_without_help("-m bench.a\n-m tests.b x\n", sources_of(tmp_path))

    assert found == ["bench.a", "tests.b"]
