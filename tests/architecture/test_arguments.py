"""No parameter packs several values into one."""

from pathlib import Path

import pytest

from tests.architecture.arguments import ONE_VALUE, packed_arguments
from tests.architecture.fixtures import make_tree
from tests.architecture.tree import ROOT, report


def test_no_parameter_packs_values() -> None:
    found = packed_arguments(ROOT)

    assert not found, report(found)


@pytest.mark.parametrize(
    "parameters",
    [
        "x: tuple[str, int]",
        "x: tuple[str, str]",
        "*, x: tuple[str, int] | None = None",
        "x: tuple[str, int], /",
        "*x: Channel | str | None",
        "*x: object",
        "*x: Any",
    ],
)
@pytest.mark.parametrize("keyword", ["def", "async def"])
def test_a_packed_parameter_is_refused(
    keyword: str, parameters: str, tmp_path: Path
) -> None:
    code = f"{keyword} f({parameters}) -> None: ..."
    found = packed_arguments(make_tree(tmp_path, {"services/a.py": code}))

    assert report(found) == "services/a.py:1: f: x packs values"


@pytest.mark.parametrize(
    "parameters",
    [
        "x: tuple[str, ...]",
        "*x: str",
        "x: Span",
        "*x: P.args, **y: P.kwargs",
        "*x",
        "*_: object",
    ],
)
def test_a_list_of_one_kind_is_accepted(parameters: str, tmp_path: Path) -> None:
    tree = make_tree(tmp_path, {"libs/a.py": f"def f({parameters}) -> None: ..."})

    assert not packed_arguments(tree)


def test_tests_may_pack(tmp_path: Path) -> None:
    code = "def f(x: tuple[int, str]): ..."

    assert not packed_arguments(make_tree(tmp_path, {"tests/a.py": code}))


@pytest.mark.parametrize("place", ONE_VALUE)
def test_an_exception_has_a_reason_and_is_needed(place: str) -> None:
    path, _, function = place.partition(": ")

    assert ONE_VALUE[place]
    assert f"def {function}(" in (ROOT / path).read_text(encoding="utf-8")
