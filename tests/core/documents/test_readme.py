"""What clp-core's README promises is run, in the order it is read."""

import doctest
import re
from pathlib import Path

import pytest

import clp_core
from clp_core.__main__ import main

LIBRARY = Path(__file__).parents[3] / "libs" / "clp_core"
README = (LIBRARY / "README.md").read_text(encoding="utf-8")
CHANGELOG = (LIBRARY / "CHANGELOG.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def test_every_example_of_the_readme_runs() -> None:
    examples = doctest.DocTestParser().get_doctest(
        "\n".join(blocks("pycon")), {}, "README.md", "README.md", 0
    )
    outcome = doctest.DocTestRunner().run(examples)
    assert outcome.attempted > 40
    assert outcome.failed == 0


def test_the_readme_shows_each_rule_family() -> None:
    assert len(blocks("pycon")) >= 8
    for module in (
        "visibility",
        "messages",
        "mentions",
        "routing",
        "attachments",
        "unread",
    ):
        exported = set(dir(getattr(clp_core, module))) & set(clp_core.__all__)
        assert any(re.search(rf"\b{name}\(", README) for name in exported), module


def test_the_command_prints_what_the_readme_shows(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(LIBRARY.parents[1])
    shown = next(block for block in blocks("console") if "explain" in block)
    command, _, printed = shown.partition("\n")
    assert main(command.split()[4:]) == 0
    assert capsys.readouterr().out == printed


def test_the_changelog_tells_of_the_version_that_is_built() -> None:
    manifest = (LIBRARY / "pyproject.toml").read_text(encoding="utf-8")
    version = re.search(r'^version = "(.+)"$', manifest, re.MULTILINE)
    assert version
    assert f"## {version[1]}\n" in CHANGELOG


def test_the_face_is_sorted_documented_and_complete() -> None:
    assert len(set(clp_core.__all__)) == len(clp_core.__all__)
    for name in clp_core.__all__:
        assert getattr(clp_core, name) is not None
    assert Path(clp_core.__file__).with_name("py.typed").exists()
