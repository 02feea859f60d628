"""One word per concept, and no module that collects what has no home."""

from pathlib import Path

import pytest

from tests.architecture.fixtures import planted
from tests.architecture.naming import drawers, foreign_words
from tests.architecture.tree import ROOT, report


def test_no_module_is_named_like_a_drawer() -> None:
    found = drawers(ROOT)

    assert not found, report(found)


@pytest.mark.parametrize(
    "path",
    [
        "libs/a/utils.py",
        "services/a/helpers/x.py",
        "tests/common.py",
        "tools/a/_misc.py",
    ],
)
def test_a_drawer_is_refused(path: str, tmp_path: Path) -> None:
    found = drawers(planted(tmp_path, {path: ""}))

    assert [finding.path for finding in found] == [path]


def test_a_name_that_contains_a_drawer_is_not_one(tmp_path: Path) -> None:
    tree = planted(tmp_path, {"libs/a/database.py": "", "libs/a/sharing.py": ""})

    assert not drawers(tree)


def test_the_code_says_the_words_of_the_product() -> None:
    found = foreign_words(ROOT)

    assert not found, report(found)


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("def vendor_of() -> None: ...", "vendor_of"),
        ("class ChatBot: ...", "ChatBot"),
        ("class A:\n    room_id: int = 1", "room_id"),
        ("SUPPLIERS = ()", "SUPPLIERS"),
        ("def f(*, current_user: str) -> None: ...", "current_user"),
        ("def f(is_external=1): ...", "is_external"),
    ],
)
def test_a_foreign_word_is_refused(code: str, name: str, tmp_path: Path) -> None:
    found = foreign_words(planted(tmp_path, {"libs/a.py": code}))

    assert [finding.what.partition(":")[0] for finding in found] == [name]


def test_a_foreign_word_is_refused_as_the_name_of_a_module(tmp_path: Path) -> None:
    found = foreign_words(planted(tmp_path, {"services/a/vendors.py": ""}))

    assert report(found) == "services/a/vendors.py:1: vendors: say partner, not vendor"


@pytest.mark.parametrize(
    "name", ["both", "bottom", "robot", "bedroom_count", "room_left"]
)
def test_part_of_another_word_is_no_foreign_word(name: str, tmp_path: Path) -> None:
    assert not foreign_words(planted(tmp_path, {"libs/a.py": f"def {name}(): ..."}))
