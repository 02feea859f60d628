"""Files and functions stay short enough to be read in one go."""

from pathlib import Path

from tests.architecture.budgets import over_budget
from tests.architecture.fixtures import make_tree
from tests.architecture.tree import ROOT, report


def test_every_file_and_function_is_within_budget() -> None:
    found = over_budget(ROOT)

    assert not found, report(found)


def test_a_file_of_501_lines_is_refused(tmp_path: Path) -> None:
    tree = make_tree(tmp_path, {"services/search/long.py": "x = 1\n" * 501})

    assert report(over_budget(tree)) == (
        "services/search/long.py:1: 501 lines, allowed are 500"
    )


def test_a_file_of_400_lines_is_not(tmp_path: Path) -> None:
    assert not over_budget(make_tree(tmp_path, {"tests/long.py": "x = 1\n" * 500}))


def test_a_function_of_51_lines_is_refused(tmp_path: Path) -> None:
    function = "def long() -> None:\n" + "    x = 1\n" * 50
    tree = make_tree(tmp_path, {"libs/a.py": "\n" + function})

    assert report(over_budget(tree)) == "libs/a.py:2: long has 51 lines, allowed are 50"


def test_a_function_of_50_lines_is_not(tmp_path: Path) -> None:
    function = "def long() -> None:\n" + "    x = 1\n" * 49

    assert not over_budget(make_tree(tmp_path, {"libs/a.py": function}))


def test_the_length_of_a_method_counts_too(tmp_path: Path) -> None:
    method = "class A:\n    async def long(self) -> None:\n" + "        x = 1\n" * 50

    assert len(over_budget(make_tree(tmp_path, {"tools/a.py": method}))) == 1


def test_migrations_are_history_and_keep_their_length(tmp_path: Path) -> None:
    tree = make_tree(tmp_path, {"services/a/migrations/v1.py": "x = 1\n" * 501})

    assert not over_budget(tree)


def test_an_environment_or_a_cache_is_not_ours(tmp_path: Path) -> None:
    tree = make_tree(tmp_path, {
        "libs/.venv/a.py": "x = 1\n" * 501,
        "libs/__pycache__/a.py": "x = 1\n" * 501,
        "mutants/libs/a.py": "x = 1\n" * 501,
    })  # fmt: skip

    assert not over_budget(tree)
