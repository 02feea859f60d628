"""Import contracts are kept, and each of them is seen to break."""

import shutil
from pathlib import Path

import pytest

from tests.architecture.importing import SOURCE_FOLDERS, contract_names, lint_imports
from tests.architecture.tree import ROOT

# Contract -> a module that breaks it, with its code.
VIOLATIONS = {
    "Dependencies point inwards: suite, services, chassis, contracts and core": (
        "services/search/src/clp_search/stray.py",
        "import clp_messages",
    ),
    "The operators' command calls the services and imports none": (
        "tools/clp_ops/src/clp_ops/stray.py",
        "import clp_notifications.settings",
    ),
    "The core touches nothing outside itself": (
        "libs/clp_core/src/clp_core/stray.py",
        "import os",
    ),
    "The chassis knows no domain noun": (
        "libs/clp_chassis/src/clp_chassis/stray.py",
        "import clp_core",
    ),
    "The contracts need no other package of the project, except the core mapping": (
        "libs/clp_contracts/src/clp_contracts/stray.py",
        "import clp_core",
    ),
    "A caller needs no database, index or template to hold the contracts": (
        "libs/clp_contracts/src/clp_contracts/stray_database.py",
        "import sqlalchemy",
    ),
    "The contracts know no framework": (
        "libs/clp_contracts/src/clp_contracts/stray_framework.py",
        "import nameko",
    ),
    "Only the wire of the contracts knows the broker": (
        "libs/clp_contracts/src/clp_contracts/stray_broker.py",
        "import kombu",
    ),
    "Inside projects: entrypoints on use cases on storage": (
        "services/projects/src/clp_projects/stray.py",
        "",
    ),
    "Inside messages: entrypoints on use cases on storage": (
        "services/messages/src/clp_messages/stray.py",
        "",
    ),
    "Inside search: entrypoints on use cases on the index": (
        "services/search/src/clp_search/stray.py",
        "import clp_messages",
    ),
    "Inside notifications: entrypoints on use cases on storage": (
        "services/notifications/src/clp_notifications/stray.py",
        "",
    ),
    "Inside portal: entrypoints on pages on views": (
        "services/portal/src/clp_portal/stray.py",
        "",
    ),
    "Pages, views and the API table of the portal know no framework": (
        "services/portal/src/clp_portal/pages/stray_framework.py",
        "import werkzeug",
    ),
    "Only the edges of a service know the framework": (
        "services/notifications/src/clp_notifications/stray_framework.py",
        "import kombu",
    ),
    "One file knows Whoosh": (
        "services/search/src/clp_search/stray_whoosh.py",
        "import whoosh",
    ),
    "No cycles inside the core": (
        "libs/clp_core/src/clp_core/stray_cycle.py",
        "import clp_core.stray_back",
    ),
}
BACK = ("libs/clp_core/src/clp_core/stray_back.py", "import clp_core.stray_cycle")


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bool]:
    """The contracts of a copy of this tree that contains every violation."""
    copy = tmp_path_factory.mktemp("broken")
    shutil.copy(ROOT / "pyproject.toml", copy)
    for place in SOURCE_FOLDERS:
        for folder in ROOT.glob(place):
            shutil.copytree(
                folder,
                copy / folder.relative_to(ROOT),
                ignore=shutil.ignore_patterns("__pycache__"),
            )
    for path, code in (*VIOLATIONS.values(), BACK):
        (copy / path).write_text(code + "\n", encoding="utf-8")
    return lint_imports(copy)


def test_every_import_contract_is_kept() -> None:
    kept = lint_imports(ROOT)

    assert list(kept) == contract_names()
    assert all(kept.values()), [name for name, held in kept.items() if not held]


@pytest.mark.parametrize("contract", VIOLATIONS)
def test_a_contract_broken_on_purpose_is_reported(
    contract: str, broken: dict[str, bool]
) -> None:
    assert broken[contract] is False


def test_each_contract_has_a_violation_that_breaks_it() -> None:
    assert sorted(VIOLATIONS) == sorted(contract_names())


def test_a_use_case_that_imports_an_entrypoint_is_reported(tmp_path: Path) -> None:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for place in SOURCE_FOLDERS:
        for folder in ROOT.glob(place):
            for package in folder.glob("clp_*"):
                here = tmp_path / package.relative_to(ROOT)
                here.mkdir(parents=True)
                (here / "__init__.py").touch()
    search = tmp_path / "services/search/src/clp_search"
    (search / "service.py").touch()
    (search / "use_cases.py").write_text("import clp_search.service\n")

    kept = lint_imports(tmp_path)

    assert [name for name, held in kept.items() if not held] == [
        "Inside search: entrypoints on use cases on the index"
    ]
