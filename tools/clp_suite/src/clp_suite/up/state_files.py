"""What is noted in the data folder: how many are to run, and which do."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

COPIES: Final = "copies.json"
STATUS: Final = "status.json"


def read_copies(data_dir: Path) -> dict[str, int]:
    """How many processes of each type there are to be."""
    copies: dict[str, int] = json.loads((data_dir / COPIES).read_text())
    return copies


def change_copies(data_dir: Path, changes: Mapping[str, int]) -> None:
    """Have more or fewer processes of some types, from now on."""
    put_json(data_dir / COPIES, read_copies(data_dir) | dict(changes))


def read_status(data_dir: Path) -> dict[str, dict[str, Any]]:
    """Which processes run."""
    status: dict[str, dict[str, Any]] = json.loads((data_dir / STATUS).read_text())
    return status


def put_json(path: Path, value: object) -> None:
    """Write whole or not at all: others read meanwhile."""
    part = path.with_name(f".{path.name}.part")
    part.write_text(json.dumps(value, indent=1))
    part.replace(path)
