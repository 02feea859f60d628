"""Each module of the core has its tests beside it, no more and no fewer."""

from pathlib import Path

from tests.architecture.fixtures import planted
from tests.architecture.pairing import unmirrored
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


def test_tests_of_the_core_mirror_its_modules() -> None:
    found = unmirrored(ROOT)

    assert not found, report(found)


def test_a_mirrored_core_is_fine(tmp_path: Path) -> None:
    assert not unmirrored(planted(tmp_path, GOOD))


def test_a_module_without_tests_is_refused(tmp_path: Path) -> None:
    tree = planted(tmp_path, GOOD | {"libs/clp_core/src/clp_core/unread.py": ""})

    assert report(unmirrored(tree)) == (
        "libs/clp_core/src/clp_core/unread.py:1: no test_unread.py"
    )


def test_a_folder_of_rules_without_tests_is_refused(tmp_path: Path) -> None:
    tree = planted(
        tmp_path, GOOD | {"libs/clp_core/src/clp_core/unread/__init__.py": ""}
    )

    assert len(unmirrored(tree)) == 1


def test_tests_without_a_module_are_refused(tmp_path: Path) -> None:
    tree = planted(tmp_path, GOOD | {"tests/core/test_threads.py": ""})

    assert report(unmirrored(tree)) == (
        "tests/core/test_threads.py:1: tests no module of the core"
    )
