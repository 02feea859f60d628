"""Check which Whoosh the index runs on: the pinned one, or the way out."""

import os
from importlib.metadata import distribution
from pathlib import Path

import whoosh

from tests.architecture.tree import ROOT

EXPECTED = os.environ.get("TESTS_WHOOSH", "3.54.0")
HASHED = ROOT / "deploy" / "install" / "hashed"


def test_these_tests_run_on_the_whoosh_they_say() -> None:
    assert ".".join(map(str, whoosh.__version__)) == EXPECTED


def test_the_engine_has_one_pin() -> None:
    """By content where it is installed, by version where it is required."""
    constraints = (ROOT / "constraints.txt").read_text().splitlines()
    needed = (ROOT / "services" / "search" / "pyproject.toml").read_text()
    hashed = (HASHED / "whoosh3.txt").read_text()
    assert "whoosh3==3.54.0" in constraints
    assert '"whoosh3==3.54.0"' in needed
    assert "whoosh3==3.54.0 --hash=sha256:" in hashed
    assert distribution("whoosh3").version == "3.54.0"


def test_setup_installs_it_by_its_hash() -> None:
    script = (ROOT / "deploy" / "install" / "setup.sh").read_text()
    assert "--require-hashes" in script
    assert "hashed/whoosh3.txt" in script
    assert Path(HASHED / "whoosh3.txt").is_file()
