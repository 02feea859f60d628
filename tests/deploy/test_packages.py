"""Every distribution has complete metadata and can be built from it."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from itertools import chain
from pathlib import Path
from typing import Any, Final

import pytest

ROOT = Path(__file__).parents[2]
MEMBERS = sorted(
    path.parent
    for folder in ("libs", "services", "tools")
    for path in (ROOT / folder).glob("*/pyproject.toml")
)
# Distributions by the packages they bring.
INSTALLED: Final = packages_distributions()


def project(member: Path) -> dict[str, Any]:
    content: dict[str, Any] = tomllib.loads((member / "pyproject.toml").read_text())
    return dict(content["project"])


@pytest.mark.parametrize("member", MEMBERS, ids=lambda path: path.name)
def test_a_distribution_has_complete_metadata(member: Path) -> None:
    metadata = project(member)
    assert metadata["description"].endswith(".")
    assert metadata["license"] == "LicenseRef-Proprietary"
    assert (member / metadata["readme"]).read_text().startswith("# ")
    assert "Private :: Do Not Upload" in metadata["classifiers"]
    assert list(member.glob("src/*/py.typed")), "annotations are published"


@pytest.mark.parametrize("member", MEMBERS, ids=lambda path: path.name)
def test_a_distribution_requires_its_siblings_by_range(member: Path) -> None:
    """A patch release of a library needs no release of its users."""
    siblings = [name for name in project(member)["dependencies"] if "clp-" in name]
    assert all(",<" in name and ">=" in name for name in siblings)


@pytest.mark.parametrize("member", MEMBERS, ids=lambda path: path.name)
def test_a_distribution_requires_what_it_imports(member: Path) -> None:
    """What only another distribution requires may be gone with its next release."""
    metadata = project(member)
    requirements = [
        *metadata["dependencies"],
        *chain.from_iterable(metadata.get("optional-dependencies", {}).values()),
    ]
    required = {canonical_name(requirement) for requirement in requirements}
    undeclared = [
        module
        for module in sorted(imported_by(member))
        if not required.intersection(
            map(canonical_name, INSTALLED.get(module, [module]))
        )
    ]
    assert undeclared == []


def imported_by(member: Path) -> set[str]:
    """The packages of others that the modules of a member import."""
    modules: set[str] = set()
    for path in member.glob("src/**/*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                modules |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                modules.add(node.module)
    own = {path.parent.name for path in member.glob("src/*/__init__.py")}
    return {name.split(".")[0] for name in modules} - own - sys.stdlib_module_names


def canonical_name(requirement: str) -> str:
    """The name of a distribution by PEP 503, without versions and extras."""
    name = re.match(r"[\w.-]+", requirement)
    assert name, requirement
    return re.sub(r"[-_.]+", "-", name[0]).lower()
