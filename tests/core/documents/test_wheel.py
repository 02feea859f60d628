"""The wheel carries all it needs: it is imported with nothing else to import from."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

LIBRARY = Path(__file__).parents[3] / "libs" / "clp_core"

ALONE = """
import sys
sys.path.insert(0, sys.argv[1])
import clp_core
from clp_core.__main__ import main
assert clp_core.__file__.startswith(sys.argv[1])
assert {name for name in sys.modules if "site-packages" in str(sys.modules[name])} == set()
assert all(hasattr(clp_core, name) for name in clp_core.__all__)
raise SystemExit(main(["explain", sys.argv[2]]))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "clp_core"
    shutil.copytree(LIBRARY, source, ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=source,
        check=True,
        capture_output=True,
    )
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_is_for_every_machine_and_needs_no_other_package(wheel: Path) -> None:
    assert wheel.name == "clp_core-0.1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        metadata = archive.read("clp_core-0.1.0.dist-info/METADATA").decode()
        names = archive.namelist()
    assert "Requires-Dist" not in metadata
    assert "Requires-Python: >=3.11" in metadata
    assert "clp_core/py.typed" in names
    assert "clp_core/mentions/__init__.py" in names
    shipped = {name.split("/")[0] for name in names}
    assert shipped == {"clp_core", "clp_core-0.1.0.dist-info"}


def test_the_wheel_works_alone(wheel: Path) -> None:
    example = LIBRARY / "examples" / "mention_in_direct.json"
    ran = subprocess.run(
        [sys.executable, "-I", "-S", "-c", ALONE, str(wheel), str(example)],
        check=False,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    assert "1 of 6 told" in ran.stdout
