"""Each module of the core has a test module of the same name, and the reverse."""

from pathlib import Path

from tests.architecture.tree import Finding

CORE = Path("libs/clp_core/src/clp_core")
TESTS = Path("tests/core")


def unpaired_modules(root: Path) -> list[Finding]:
    """Modules of the core without tests, and tests of the core without a module.

    ``test_mentions.py`` belongs to ``mentions``; so does ``test_mentions_....py``.
    """
    modules = {
        path.stem.strip("_")
        for path in (root / CORE).iterdir()
        if (path.suffix == ".py" or (path / "__init__.py").exists())
        and path.name != "__init__.py"
    }
    tests = {
        path.stem.removeprefix("test_") for path in (root / TESTS).glob("test_*.py")
    }
    lacking = [
        Finding((CORE / f"{module}.py").as_posix(), 1, f"no test_{module}.py")
        for module in modules
        if module not in tests
    ]
    orphans = [
        Finding(
            (TESTS / f"test_{test}.py").as_posix(), 1, "tests no module of the core"
        )
        for test in tests
        if not any(test == known or test.startswith(f"{known}_") for known in modules)
    ]
    return sorted(lacking + orphans)
