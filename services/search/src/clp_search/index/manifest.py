"""What should be on disk: the files of a shard with their checksums, and its cursor."""

import json
import os
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from clp_search.engine import IndexDamaged

NAME: Final = "manifest.json"
_CHUNK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Checksum:
    """The size of a file, and its CRC-32."""

    size: int
    crc: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """The state of a shard's files; all changes up to the cursor are in them."""

    generation: int = -1
    cursor: int = 0
    files: Mapping[str, Checksum] = field(default_factory=dict)

    @property
    def size_bytes(self) -> int:
        """How much room the files take."""
        return sum(checksum.size for checksum in self.files.values())


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of a shard; None when it has none yet.

    Raises:
        IndexDamaged: when it cannot be read.
    """
    try:
        text = (folder / NAME).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    try:
        told = json.loads(text)
        files = {name: Checksum(*checksum) for name, checksum in told["files"].items()}
        return Manifest(int(told["generation"]), int(told["cursor"]), files)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise IndexDamaged(f"unreadable manifest in {folder.name}") from error


def write_manifest(folder: Path, manifest: Manifest, *, surely: bool = True) -> None:
    """Replace the manifest as a whole; surely, so that a power cut cannot undo it."""
    told = {
        "generation": manifest.generation,
        "cursor": manifest.cursor,
        "files": {name: [c.size, c.crc] for name, c in sorted(manifest.files.items())},
    }
    draft = folder / f"{NAME}.new"
    with draft.open("w", encoding="utf-8") as file:
        json.dump(told, file)
        file.flush()
        if surely:
            os.fsync(file.fileno())
    draft.replace(folder / NAME)
    if surely:
        _sync_folder(folder)


def secured(
    folder: Path,
    names: Collection[str],
    known: Mapping[str, Checksum],
    *,
    surely: bool = True,
) -> dict[str, Checksum]:
    """Force new files to the disk and take their checksums; known ones stay as told."""
    new = [name for name in names if name not in known]
    checksums = {name: known[name] for name in names if name in known}
    for name in new:
        if surely:
            _sync(folder / name)
        checksums[name] = _checksum(folder / name)
    if surely:
        _sync_folder(folder)
    return checksums


def has_size(folder: Path, name: str, checksum: Checksum) -> bool:
    """Whether a file is there with its size: quick to tell."""
    try:
        return (folder / name).stat().st_size == checksum.size
    except FileNotFoundError:
        return False


def has_content(folder: Path, name: str, checksum: Checksum) -> bool:
    """Whether a file holds what was written: reads it all."""
    try:
        return _checksum(folder / name) == checksum
    except FileNotFoundError:
        return False


def _sync_folder(folder: Path) -> None:
    """Force the names in a folder to the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _checksum(path: Path) -> Checksum:
    size = crc = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            size += len(chunk)
            crc = zlib.crc32(chunk, crc)
    return Checksum(size, crc)
