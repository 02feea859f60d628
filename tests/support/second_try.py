"""``python -m tests.support.second_try ARGUMENTS``: pytest; what failed is run again alone.

Only on the build machine (``CI=true``), whose load nobody knows, and only for a few tests
of a run: a change that breaks something breaks it twice. A test that failed once is named
in the output, with its first traceback above: it is a defect to mend. Elsewhere a failure
is a failure.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

MAX_TESTS: Final = 3


def with_cache(command: Sequence[str], cache: Path) -> list[str]:
    """Let pytest keep in a folder what failed."""
    return [*command, "-o", f"cache_dir={cache}"]


def second_try(command: Sequence[str], cache: Path, environ: Mapping[str, str]) -> int:
    """Run again, alone, what failed in a run with this cache; return its exit code."""
    noted = cache / "v" / "cache" / "lastfailed"
    # A process that broke down noted nothing.
    failed = list(json.loads(noted.read_text())) if noted.exists() else []
    if environ.get("CI") != "true" or not 0 < len(failed) <= MAX_TESTS:
        return 1
    lines = "\n".join(f"  {name}" for name in failed)
    sys.stdout.write(f"\n!!! FAILED ONCE, run again alone:\n{lines}\n")
    sys.stdout.flush()
    again = [*with_cache(command, cache), "--last-failed"]
    return subprocess.run(again, env=environ, check=False).returncode


def main() -> int:
    """Run pytest, and what failed once more."""
    command = [sys.executable, "-m", "pytest", *sys.argv[1:]]
    with tempfile.TemporaryDirectory() as folder:
        cache = Path(folder)
        first = subprocess.run(with_cache(command, cache), check=False).returncode
        if first != 1:
            return first
        return second_try(command, cache, os.environ)


if __name__ == "__main__":
    sys.exit(main())
