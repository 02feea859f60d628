"""What strangers import from the core says what it means."""

from dataclasses import dataclass
from types import ModuleType

import clp_core
from tests.architecture.documents import undocumented


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
