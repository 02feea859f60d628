"""Names and texts use the words of the dictionary; every refused word is seen to fail."""

import re
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.architecture.fixtures import make_tree
from tests.architecture.naming import (
    catch_all_modules,
    foreign_words,
    refused_identifiers,
    refused_texts,
)
from tests.architecture.tree import ROOT, report, sources_of
from tests.architecture.vocabulary import (
    AMBIGUOUS,
    ARGUMENT,
    CLASS,
    EXCEPTIONS,
    FIELD,
    FUNCTION,
    PRODUCT,
    TECHNICAL,
    VARIABLE,
    Exempt,
)

# A form of each technical word, in the order of the table.
TECHNICAL_FORMS = (
    "admission", "allowances", "apply again", "at the door", "chore", "desk",
    "doorkeeper", "doors", "given-up", "good_for_s", "hangs up", "handed over", "lanes",
    "obeys", "parked", "retry_key", "set aside", "sealed", "stumbled", "surroundings",
    "tongue", "type-ahead",
)  # fmt: skip
# A form of each ambiguous word, in the order of the table.
AMBIGUOUS_FORMS = (
    "asked", "answer", "told", "parts", "house", "hands", "hold", "known", "line", "letter",
    "pacing", "standing", "heard", "events_everywhere", "reading", "promise", "breath",
    "turns", "portion", "habits", "crew", "story", "gallery", "gathering", "beginnings",
    "ill", "skeleton", "ledger", "callers",
)  # fmt: skip
DEFINITIONS = {
    CLASS: "class {}: ...",
    FUNCTION: "def {}(): ...",
    ARGUMENT: "def f(*, {}): ...",
    FIELD: "class A:\n    {}: int",
    VARIABLE: "def f():\n    {} = 1",
}


def test_no_module_has_a_catch_all_name() -> None:
    found = catch_all_modules(ROOT)

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
def test_a_catch_all_name_is_refused(path: str, tmp_path: Path) -> None:
    found = catch_all_modules(make_tree(tmp_path, {path: ""}))

    assert [finding.path for finding in found] == [path]


def test_a_name_that_contains_a_catch_all_name_is_accepted(tmp_path: Path) -> None:
    tree = make_tree(tmp_path, {"libs/a/database.py": "", "libs/a/sharing.py": ""})

    assert not catch_all_modules(tree)


def test_names_use_the_words_of_the_product() -> None:
    found = foreign_words(ROOT)

    assert not found, report(found)


@pytest.mark.parametrize("word", PRODUCT)
def test_another_word_than_the_product_s_is_refused(word: str, tmp_path: Path) -> None:
    code = f"def {word}_of() -> None: ..."
    found = foreign_words(make_tree(tmp_path, {"libs/a.py": code}))

    assert report(found) == (f"libs/a.py:1: {word}_of: say {PRODUCT[word]}, not {word}")


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("class ChatBot: ...", "ChatBot"),
        ("class A:\n    room_id: int = 1", "room_id"),
        ("SUPPLIERS = ()", "SUPPLIERS"),
        ("def f(*, current_user: str) -> None: ...", "current_user"),
        ("def f(is_external=1): ...", "is_external"),
    ],
)
def test_every_kind_of_name_is_read(code: str, name: str, tmp_path: Path) -> None:
    found = foreign_words(make_tree(tmp_path, {"libs/a.py": code}))

    assert {finding.what.partition(":")[0] for finding in found} == {name}


def test_the_name_of_a_module_is_read(tmp_path: Path) -> None:
    found = foreign_words(make_tree(tmp_path, {"services/a/vendors.py": ""}))

    assert report(found) == "services/a/vendors.py:1: vendors: say partner, not vendor"


@pytest.mark.parametrize(
    "name", ["both", "bottom", "robot", "bedroom_count", "room_left"]
)
def test_a_part_of_another_word_is_accepted(name: str, tmp_path: Path) -> None:
    tree = make_tree(tmp_path, {"libs/a.py": f"def {name}(): ..."})

    assert not foreign_words(tree)


def test_no_text_uses_a_refused_technical_word() -> None:
    found = refused_texts(ROOT)

    assert not found, report(found)


def test_every_technical_word_has_a_form_below() -> None:
    for word, form in zip(TECHNICAL, TECHNICAL_FORMS, strict=True):
        assert re.fullmatch(word.replace(" ", "[ _-]"), form)


@pytest.mark.parametrize("form", TECHNICAL_FORMS)
@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("libs/a.py", "# a {spaced} here"),
        ("tests/test_a.py", '"""A {spaced} here."""'),
        ("services/a/a.py", "def test_{snake}_of(): ..."),
        ("tools/a.py", "class Mail{camel}: ..."),
        ("libs/b.py", 'Counter("clp_{snake}_total", "All.")'),
        ("libs/c.py", 'log.info("{spaced}: %s", 1)'),
        ("docs/a.md", "| a | The {spaced} |"),
        ("deploy/a.yaml", "CLP_SEARCH_{upper}: 1"),
    ],
)
def test_a_technical_word_is_refused_everywhere(
    form: str, path: str, text: str, tmp_path: Path
) -> None:
    words = re.split("[ _-]", form)
    written = text.format(
        spaced=form.replace("_", " "),
        snake="_".join(words),
        upper="_".join(words).upper(),
        camel="".join(word.title() for word in words),
    )
    found = refused_texts(make_tree(tmp_path, {path: f"\n{written}\n"}))

    assert [(finding.path, finding.line) for finding in found] == [(path, 2)]


@pytest.mark.parametrize(
    "text",
    ["beside", "indoor", "a planet", "disobeyed", "sparked", "outdoors", "handover"],
)
def test_a_part_of_another_technical_word_is_accepted(
    text: str, tmp_path: Path
) -> None:
    assert not refused_texts(make_tree(tmp_path, {"docs/a.md": text}))


@pytest.mark.parametrize("prefix", ["MOST", "LONGEST", "LARGEST", "FEWEST", "SHORTEST"])
@pytest.mark.parametrize("form", ["{}_X = 1", "_{}_X = 1", "CLP_SEARCH_{}_X"])
def test_a_limit_is_a_max_or_a_min(prefix: str, form: str, tmp_path: Path) -> None:
    tree = make_tree(tmp_path, {"libs/a.py": form.format(prefix)})

    assert [finding.line for finding in refused_texts(tree)] == [1]


def test_no_identifier_is_an_ambiguous_word() -> None:
    found = refused_identifiers(ROOT)

    assert not found, report(found)


@pytest.mark.parametrize(
    ("number", "kind"),
    [(n, kind) for n, word in enumerate(AMBIGUOUS) for kind in sorted(word.kinds)],
)
def test_an_ambiguous_word_is_refused_as_a_whole_identifier(
    number: int, kind: str, tmp_path: Path
) -> None:
    form = AMBIGUOUS_FORMS[number]
    files = {"libs/a.py": DEFINITIONS[kind].format(form)} if kind in DEFINITIONS else {}
    found = refused_identifiers(make_tree(tmp_path, files or {f"libs/{form}.py": ""}))

    assert [finding.what.partition(":")[0] for finding in found] == [f"{kind} {form}"]


def test_every_ambiguous_word_has_a_form_above() -> None:
    assert len(AMBIGUOUS_FORMS) == len(AMBIGUOUS)


@pytest.mark.parametrize(
    "code",
    [
        "# asked, answered and held",
        "def asked_for(): ...",
        "answer_key = 1",
        "x.hold()",
    ],
)
def test_an_ambiguous_word_may_be_part_of_a_name_or_text(
    code: str, tmp_path: Path
) -> None:
    assert not refused_identifiers(make_tree(tmp_path, {"libs/a.py": code}))


@pytest.mark.parametrize("exempt", EXCEPTIONS, ids=lambda exempt: exempt.path)
def test_an_exception_has_a_reason_and_is_needed(exempt: Exempt) -> None:
    sources = [s for s in sources_of(ROOT) if fnmatch(s.name, exempt.path)]
    word = exempt.match.strip("^$")

    assert exempt.reason
    assert any(re.search(rf"\b{word}\b", source.text.lower()) for source in sources)
