"""The pages for newcomers, operators and embedders hold what they promise."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from clp_suite.server_process import server_directory
from tests.architecture.tree import ROOT

CHECK = ROOT / "deploy/checks/run_pages.py"
PYTHON = re.compile(r"```python\n(.*?)```", re.DOTALL)
EMBEDDING = PYTHON.findall((ROOT / "docs/embedding.md").read_text(encoding="utf-8"))
# What stands in for the Makefile: the environment of the tests is ready.
MAKEFILE = f"up:\n\t@exec {sys.executable} -W ignore -m clp_suite.up start\n"


@pytest.mark.parametrize(
    ("program", "printed"),
    list(zip(EMBEDDING, ["False broadcast.internal_only\n", "1\n"], strict=True)),
    ids=["the rules alone", "the services in a test"],
)
def test_the_programs_of_the_embedders_guide_run(
    tmp_path: Path, program: str, printed: str
) -> None:
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert (ran.stdout, ran.returncode) == (printed, 0), ran.stderr


def run_pages(folder: Path, *pages: Path) -> "subprocess.CompletedProcess[str]":
    (folder / "Makefile").write_text(MAKEFILE)
    (folder / ".venv").symlink_to(Path(sys.executable).parents[1])
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run(
        [sys.executable, CHECK, *pages],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env=os.environ | {"PATH": path, "PYTHONWARNINGS": "ignore"},
    )


# After the guide, the same machine once more: without its keys, with new ones, and with
# its own again.
WITHOUT_KEYS = """
<!-- newcomer: run -->
```sh
mv run-data/keys lost-keys
! env -i PATH="$PATH" make up 2> refusal
grep "CLP_PROJECTS_KEYS_DIR: .*/keys/projects/projects.pem and .* more of" refusal
rm run-data/secrets.list
```
<!-- newcomer: start -->
```sh
make up
```
<!-- newcomer: run -->
```sh
. run-data/addresses.env
! clp-ops --keys caller-keys project p9 --title "Operator's first" 2> refusal
grep "refused: passport.refused" refusal
clp-ops --keys run-data/keys/directory project p9 --title "Operator's first"
```
<!-- newcomer: stop -->
<!-- newcomer: run -->
```sh
rm -r run-data/keys
tar -C run-data -xf backup/keys.tar
```
<!-- newcomer: start -->
```sh
make up
```
<!-- newcomer: run -->
```sh
. run-data/addresses.env
clp-ops --keys caller-keys project p9 --title "Operator's first"
echo "the keys matter"
```
<!-- newcomer: stop -->
"""


@pytest.mark.broker
@pytest.mark.faults
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_operators_guide_restores_a_lost_machine() -> None:
    """Install, scale, back up, lose everything, restore: each command as written."""
    # Its processes run under accounts of their own, which must reach the folder.
    with server_directory() as folder:
        page = folder / "guide.md"
        guide = (ROOT / "docs/operations/guide.md").read_text(encoding="utf-8")
        page.write_text(guide + WITHOUT_KEYS, encoding="utf-8")
        ran = run_pages(folder, page)
        assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr[-3000:]
        assert "p9 is stored." in ran.stdout
        assert "p9 was stored like this before." in ran.stdout
        assert ran.stdout.count("\nthe keys matter\n") == 1
        lost = folder / "build/newcomer/lost-data/secrets"
        assert secrets_of(folder / "run-data/secrets") == secrets_of(lost)


def secrets_of(folder: Path) -> dict[str, str]:
    found = {path.name: path.read_text() for path in folder.iterdir()}
    assert "gateway_broker_password" in found
    return found


def test_a_page_whose_command_fails_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "<!-- newcomer: run -->\n```sh\nexport A=1\nfalse\ntouch after\n```\n"
    )
    assert run_pages(tmp_path, page).returncode != 0
    assert not (tmp_path / "after").exists()


def test_a_page_keeps_its_shell_between_blocks(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    block = "<!-- newcomer: run -->\n```sh\n{}\n```\n"
    page.write_text(
        block.format("export A='x y'\nmkdir d\ncd d")
        + block.format(f'echo "$A" > found\ntest "$PWD" = "{tmp_path}/d"')
    )
    ran = run_pages(tmp_path, page)
    assert ran.returncode == 0, ran.stderr
    assert (tmp_path / "d/found").read_text() == "x y\n"


def test_a_page_without_steps_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("nothing to do")
    assert "no step for a newcomer" in run_pages(tmp_path, page).stderr
