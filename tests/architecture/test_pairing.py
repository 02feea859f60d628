"""Each module of the core has its test module, and no test module lacks one."""

from pathlib import Path

from tests.architecture.fixtures import make_tree
from tests.architecture.pairing import unpaired_modules
from tests.architecture.tree import ROOT, report

GOOD = {
    "libs/clp_core/src/clp_core/__init__.py": "",
    "libs/clp_core/src/clp_core/__main__.py": "",
    "libs/clp_core/src/clp_core/mentions.py": "",
    "tests/core/test_main.py": "",
    "tests/core/test_mentions.py": "",
    "tests/core/test_mentions_rows.py": "",
    "tests/core/sample_world.py": "",
}


def test_tests_of_the_core_are_paired_with_its_modules() -> None:
    found = unpaired_modules(ROOT)

    assert not found, report(found)


def test_a_paired_core_is_fine(tmp_path: Path) -> None:
    assert not unpaired_modules(make_tree(tmp_path, GOOD))


def test_a_module_without_tests_is_refused(tmp_path: Path) -> None:
    tree = make_tree(tmp_path, GOOD | {"libs/clp_core/src/clp_core/unread.py": ""})

    assert report(unpaired_modules(tree)) == (
        "libs/clp_core/src/clp_core/unread.py:1: no test_unread.py"
    )


def test_a_folder_of_rules_without_tests_is_refused(tmp_path: Path) -> None:
    tree = make_tree(
        tmp_path, GOOD | {"libs/clp_core/src/clp_core/unread/__init__.py": ""}
    )

    assert len(unpaired_modules(tree)) == 1


def test_tests_without_a_module_are_refused(tmp_path: Path) -> None:
    tree = make_tree(tmp_path, GOOD | {"tests/core/test_threads.py": ""})

    assert report(unpaired_modules(tree)) == (
        "tests/core/test_threads.py:1: tests no module of the core"
    )
