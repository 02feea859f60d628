"""A virtual environment that holds one distribution and what it requires, no more."""

import re
import shutil
import subprocess
import tomllib
import venv
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path

ROOT = Path(__file__).parents[2]


def bare_environment(folder: Path, name: str) -> Path:
    """Create the environment from the packages of this one; return its Python.

    Nothing is downloaded, and the versions are those that the tests run with.
    """
    venv.create(folder, symlinks=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    for required in _with_requirements(name, set()):
        _copy(required, packages)
    return folder / "bin/python"


def _with_requirements(name: str, seen: set[str]) -> Iterator[Distribution]:
    if name in seen:
        return
    seen.add(name)
    found = distribution(name)
    yield found
    for requirement in _requirements(found):
        text, _, marker = requirement.partition(";")
        if "extra" in marker or "win32" in marker or "python_version <" in marker:
            continue
        (required,) = re.findall(r"^[\w.-]+", text)
        yield from _with_requirements(required, seen)


def _requirements(found: Distribution) -> list[str]:
    """What it requires; of the project's own packages, what they require now."""
    if (member := _member(found)) is None:
        return found.requires or []
    manifest = tomllib.loads((member / "pyproject.toml").read_text())
    return list(manifest["project"]["dependencies"])


def _member(found: Distribution) -> Path | None:
    return next(ROOT.glob(f"*/{found.name.replace('-', '_')}"), None)


def _copy(found: Distribution, packages: Path) -> None:
    if member := _member(found):
        shutil.copytree(member / "src", packages, dirs_exist_ok=True)
        return
    for path in found.files or ():
        source, target = Path(str(found.locate_file(path))), packages / path
        if ".." not in path.parts and source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)


def run_in(python: Path, program: str, *arguments: str) -> str:
    """Run a program there with every warning as an error; return what it prints."""
    ran = subprocess.run(
        [python, "-I", "-W", "error", "-c", program, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout
