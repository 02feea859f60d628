"""Images are pinned by what their registry says, all of them or none."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from clp_deploy.image_pins import NoDigest, images_of, main, pin_all, pinned
from tests.deploy.conftest import RefusalOf

DEPLOY = Path(__file__).parents[2] / "deploy"
PLACES = ("Dockerfile", "compose/compose.yaml", "unpinned-images.txt")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for place in PLACES:
        copy = tmp_path / place
        copy.parent.mkdir(exist_ok=True)
        shutil.copy(DEPLOY / place, copy)
    return tmp_path


def digest_of(image: str) -> str:
    return f"sha256:{image.encode().hex():0<64.64}"


def test_every_image_is_pinned_and_leaves_the_list(folder: Path) -> None:
    found = pin_all(folder, digest_of)
    assert set(found) == {"python:3.11-slim-bookworm", "rabbitmq:3.13", "postgres:15"}
    dockerfile, compose, unpinned = ((folder / one).read_text() for one in PLACES)
    python = f"ARG PYTHON=3.11-slim-bookworm@{digest_of('python:3.11-slim-bookworm')}\n"
    assert python in dockerfile
    assert f"image: postgres:15@{digest_of('postgres:15')}\n" in compose
    assert [line.split()[0] for line in unpinned.splitlines() if line[0] != "#"] == [
        "clp-communications"
    ]


def test_a_pin_is_replaced_by_a_newer_one(folder: Path) -> None:
    pin_all(folder, digest_of)
    pin_all(folder, lambda _: f"sha256:{'7' * 64}")
    digests = set(re.findall(r"@(\S+)", (folder / PLACES[1]).read_text()))
    assert digests == {f"sha256:{'7' * 64}"}
    assert images_of((folder / PLACES[1]).read_text()) == {
        "rabbitmq:3.13", "postgres:15", "clp-communications",
    }  # fmt: skip


def test_nothing_else_is_changed() -> None:
    text = "image: postgres:15\nimage: postgres:155\n# image: postgres:15 is old\n"
    assert pinned(text, "postgres:15", "sha256:1").splitlines() == [
        "image: postgres:15@sha256:1", "image: postgres:155",
        "# image: postgres:15 is old",
    ]  # fmt: skip


def test_nothing_is_written_unless_all_are_known(folder: Path) -> None:
    def fails_at_the_last(image: str) -> str:
        if image.startswith("rabbitmq"):
            raise NoDigest(image)
        return digest_of(image)

    before = [(folder / place).read_text() for place in PLACES]
    with pytest.raises(NoDigest):
        pin_all(folder, fails_at_the_last)
    assert [(folder / place).read_text() for place in PLACES] == before


@pytest.mark.parametrize(
    ("arguments", "line"),
    [([], "arguments are required: folder"), (["{0}/x"], "{0}/x/Dockerfile: No such")],
)
def test_a_mistyped_folder_is_one_line(
    arguments: list[str],
    line: str,
    tmp_path: Path,
    refusal_of: RefusalOf,
) -> None:
    text = refusal_of(main, *(one.format(tmp_path) for one in arguments))
    assert line.format(tmp_path) in text


def run(folder: Path, tools: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "clp_deploy.image_pins", str(folder)],
        env=os.environ | {"PATH": str(tools)},
        capture_output=True,
        text=True,
        check=False,
    )


def skopeo(folder: Path, script: str) -> Path:
    tools = folder / "tools"
    tools.mkdir()
    program = tools / "skopeo"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return tools


def test_the_command_asks_for_the_images_of_the_public_library(folder: Path) -> None:
    tools = skopeo(folder, f'echo "$4" >> {folder}/asked; echo sha256:{"5" * 64}')
    assert run(folder, tools).returncode == 0
    assert (folder / "asked").read_text().split() == [
        f"docker://docker.io/library/{name}"
        for name in ("postgres:15", "python:3.11-slim-bookworm", "rabbitmq:3.13")
    ]


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (None, "skopeo is missing"),
        ("echo no route to host >&2; exit 1", "postgres:15: no route to host"),
        ("echo latest", "postgres:15: no digest"),
    ],
)
def test_the_command_says_in_one_line_why_nothing_is_pinned(
    folder: Path,
    script: str | None,
    reason: str,
    refusal_of: RefusalOf,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tools = folder / "none" if script is None else skopeo(folder, script)
    monkeypatch.setenv("PATH", str(tools))
    text = refusal_of(main, str(folder))
    assert len(text.splitlines()) == 1
    assert text.startswith(f"nothing was pinned: {reason}")
