"""Folders and files that only the account of the service reads (T38)."""

import os
from pathlib import Path
from typing import BinaryIO


def create_private_folders(folder: Path, *parts: str) -> None:
    """Create a folder and its subfolders with mode 0700, where they are missing."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for part in parts:
        (folder / part).mkdir(exist_ok=True, mode=0o700)


def open_private_file(path: Path) -> BinaryIO:
    """Open a file for writing; a new one has mode 0600."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    return os.fdopen(os.open(path, flags, 0o600), "wb")
