"""State files of the data folder: desired copies and running processes."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

COPIES: Final = "copies.json"
STATUS: Final = "status.json"


def read_copies(data_dir: Path) -> dict[str, int]:
    """The desired number of processes of each type."""
    copies: dict[str, int] = json.loads((data_dir / COPIES).read_text())
    return copies


def change_copies(data_dir: Path, changes: Mapping[str, int]) -> None:
    """Change the desired number of processes of some types."""
    put_json(data_dir / COPIES, read_copies(data_dir) | dict(changes))


def read_status(data_dir: Path) -> dict[str, dict[str, Any]]:
    """The running processes by name, each with pid, starts and health address."""
    status: dict[str, dict[str, Any]] = json.loads((data_dir / STATUS).read_text())
    return status


def put_json(path: Path, value: object) -> None:
    """Replace a JSON file atomically: other processes read it meanwhile."""
    part = path.with_name(f".{path.name}.part")
    part.write_text(json.dumps(value, indent=1))
    part.replace(path)
