"""What strangers import from the core says what it means; every page can be reached."""

import re
from dataclasses import dataclass
from types import ModuleType

import clp_core
from tests.architecture.documents import undocumented
from tests.architecture.tree import ROOT

LINK = re.compile(r"\]\(([^)#:]+\.md)")


def test_every_exported_name_of_the_core_has_a_docstring() -> None:
    assert undocumented(clp_core) == []


def test_an_export_without_words_is_refused() -> None:
    module = ModuleType("face")
    exec(  # noqa: S102
        "def rule(): ...\nclass Fact: ...\ndef said():\n    'Words.'\nLIMIT = 1",
        vars(module),
    )
    vars(module)["__all__"] = ["LIMIT", "Fact", "rule", "said"]

    assert undocumented(module) == ["Fact", "rule"]


def test_the_signature_that_a_dataclass_writes_itself_is_no_docstring() -> None:
    @dataclass
    class Fact:
        number: int

    module = ModuleType("face")
    vars(module).update(Fact=Fact, __all__=["Fact"])

    assert undocumented(module) == ["Fact"]


def test_no_page_is_an_orphan() -> None:
    """From the first page of the site a reader comes to every other one."""
    docs = ROOT / "docs"
    reached, waiting = set(), {docs / "index.md"}
    while waiting:
        page = waiting.pop()
        reached.add(page)
        text = page.read_text(encoding="utf-8")
        linked = {(page.parent / link).resolve() for link in LINK.findall(text)}
        waiting |= {one for one in linked if one.exists()} - reached

    pages = {page.resolve() for page in docs.rglob("*.md")}
    assert sorted(page.name for page in pages - reached) == []
