"""The tables of README.md are generated from the rules, and its examples run."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from clp_deploy import readme_tables
from tests.architecture.tree import ROOT

README = ROOT / "README.md"


def test_the_tables_of_the_readme_equal_the_code() -> None:
    page = README.read_text(encoding="utf-8")

    assert readme_tables.with_tables(page, readme_tables.tables()) == page, (
        "make readme"
    )


def test_a_page_whose_table_lies_is_put_right() -> None:
    page = "x\n<!-- routing: begin -->\n| R1 | nobody |\n<!-- routing: end -->\ny\n"

    mended = readme_tables.with_tables(page, {"routing": "| R1 | all |"})

    assert (
        mended == "x\n<!-- routing: begin -->\n| R1 | all |\n<!-- routing: end -->\ny\n"
    )


def test_a_page_without_a_place_for_a_table_is_refused() -> None:
    with pytest.raises(LookupError, match="no markers for the table 'routing'"):
        readme_tables.with_tables("no markers", {"routing": ""})


def test_writing_the_tables_fills_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "README.md"
    names = readme_tables.tables()
    page.write_text("".join(f"<!-- {n}: begin --><!-- {n}: end -->" for n in names))
    monkeypatch.setattr(readme_tables, "README", page)
    monkeypatch.setattr(sys, "argv", ["readme_tables"])

    readme_tables.main()

    assert all(table in page.read_text() for table in names.values())


def test_the_routing_table_has_a_row_for_each_route_and_the_mention() -> None:
    rows = readme_tables.routing_table().splitlines()[2:]

    assert [row.split(" | ")[0] for row in rows] == ["| R1", "| R2", "| R3", "| R4"]


def test_the_lines_that_call_a_service_run_as_printed(tmp_path: Path) -> None:
    section = README.read_text(encoding="utf-8").partition("## Call it")[2]
    example = re.search(r"```python\n(.*?)```", section, re.DOTALL)
    assert example is not None

    printed = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", example[1]],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )

    assert re.fullmatch(r"[0-9a-f-]{32,36} mentioned 1\n", printed.stdout)
    assert printed.stderr == ""


def test_the_readme_is_short() -> None:
    assert len(README.read_text(encoding="utf-8").splitlines()) < 120


LINKED = re.findall(r"\]\(([^)#]+)\)", README.read_text(encoding="utf-8"))


@pytest.mark.parametrize("target", LINKED)
def test_every_link_of_the_readme_leads_somewhere(target: str) -> None:
    assert (ROOT / target).exists()


@pytest.mark.parametrize(
    "target", sorted(set(re.findall(r"\bmake ([a-z][a-z-]+)", README.read_text())))
)
def test_every_command_the_readme_names_exists(target: str) -> None:
    makefiles = [ROOT / "Makefile", *ROOT.glob("*/*.mk")]
    commands = "".join(path.read_text() for path in makefiles)

    assert re.search(rf"^{target}:", commands, re.MULTILINE)
