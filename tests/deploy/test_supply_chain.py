"""Third-party code is installed by hash, and every image is pinned or listed."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
HASHED = ROOT / "deploy" / "install" / "hashed"
FILES = ("demo.txt", "image.txt", "dev.txt")
PINNED = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)", re.MULTILINE)
IMAGE = re.compile(r"^FROM (\S+)", re.MULTILINE)


def normalized(name: str) -> str:
    """A name as package indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def versions(path: Path) -> dict[str, str]:
    """The pinned versions of a requirement file, by normalized name."""
    found = PINNED.findall(path.read_text())
    return {normalized(name): version for name, version in found}


@pytest.mark.parametrize("name", FILES)
def test_every_package_has_a_hash(name: str) -> None:
    blocks = re.split(r"\n(?=\S)", (HASHED / name).read_text())
    pins = [block for block in blocks if PINNED.match(block)]
    assert len(pins) > 50
    assert [block for block in pins if "--hash=sha256:" not in block] == []


@pytest.mark.parametrize("name", FILES)
def test_every_hashed_version_is_that_of_the_constraints(name: str) -> None:
    """Only a package of another platform or Python may be missing there."""
    constraints = versions(ROOT / "constraints.txt")
    text = (HASHED / name).read_text()
    for package, version in versions(HASHED / name).items():
        if package in constraints:
            assert version == constraints[package], f"{package}: run `make lock`"
        else:
            pin = re.compile(f"^{package}=={re.escape(version)} ; ", re.MULTILINE)
            assert pin.search(text), f"{package} is not in constraints.txt"


def test_the_files_hold_each_other_and_every_dependency_of_a_member() -> None:
    demo, image, dev = (versions(HASHED / name) for name in FILES)
    assert demo.items() <= image.items() <= dev.items()
    for path in ROOT.glob("*/*/pyproject.toml"):
        for requirement in tomllib.loads(path.read_text())["project"]["dependencies"]:
            name = normalized(re.split(r"[\[<>=!~ ]", requirement)[0])
            assert name in demo or name.startswith("clp-"), f"{path}: {requirement}"


def test_a_package_with_another_hash_is_refused(tmp_path: Path) -> None:
    wheel = tmp_path / "odd-1.0-py3-none-any.whl"
    wheel.write_bytes(b"PK\x05\x06" + b"\0" * 18)
    requirements = tmp_path / "requirements.txt"
    requirements.write_text(f"odd @ file://{wheel} --hash=sha256:{'0' * 64}\n")
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--no-deps"]
    result = subprocess.run(
        [*command, "--require-hashes", "-r", requirements],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode != 0
    assert "DO NOT MATCH THE HASHES" in result.stderr


@pytest.mark.parametrize("script", ["install/setup.sh", "Dockerfile"])
def test_members_are_installed_without_a_further_lookup(script: str) -> None:
    text = (ROOT / "deploy" / script).read_text()
    assert "--require-hashes --only-binary :all:" in text
    assert "--no-deps --no-build-isolation" in text
    for line in text.splitlines():
        if re.search(r"pip (install|wheel|download)", line) and "venv" not in line:
            options = ("--require-hashes", "--no-deps", "--no-index")
            assert any(option in line for option in options), line


def images() -> set[str]:
    """Every image that the Dockerfile and the compose file name."""
    dockerfile = (ROOT / "deploy" / "Dockerfile").read_text()
    arguments = dict(re.findall(r"^ARG (\w+)=(\S+)", dockerfile, re.MULTILINE))
    used = {
        re.sub(r"\$\{(\w+)\}", lambda m: arguments[m.group(1)], name)
        for name in IMAGE.findall(dockerfile)
    }
    compose = yaml.safe_load((ROOT / "deploy/compose/compose.yaml").read_text())
    return used | {service["image"] for service in compose["services"].values()}


def test_every_image_has_a_digest_or_a_reason() -> None:
    lines = (ROOT / "deploy" / "unpinned-images.txt").read_text().splitlines()
    listed = dict(line.split(None, 1) for line in lines if line[:1] not in {"#", ""})
    unpinned = {name for name in images() if "@sha256:" not in name}
    assert unpinned == set(listed)
    assert all(len(reason) > 10 for reason in listed.values())
