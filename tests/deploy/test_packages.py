"""Every distribution has complete metadata and can be built from it."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
MEMBERS = sorted(
    path.parent
    for folder in ("libs", "services", "tools")
    for path in (ROOT / folder).glob("*/pyproject.toml")
)


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
