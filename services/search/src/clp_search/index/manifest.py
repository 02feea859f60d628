"""The manifest of a shard: its files with checksums, and its cursor."""

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
    """Size and CRC-32 of a file."""

    size: int
    crc: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """The state of the files of a shard, which hold all changes up to the cursor."""

    generation: int = -1
    cursor: int = 0
    files: Mapping[str, Checksum] = field(default_factory=dict)

    @property
    def size_bytes(self) -> int:
        """Total size of the files."""
        return sum(checksum.size for checksum in self.files.values())


def read_manifest(folder: Path) -> Manifest | None:
    """Read the manifest of a shard; None when there is none yet.

    Raises:
        IndexDamaged: when it cannot be read.
    """
    try:
        text = (folder / NAME).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    try:
        content = json.loads(text)
        files = {
            name: Checksum(*checksum) for name, checksum in content["files"].items()
        }
        return Manifest(int(content["generation"]), int(content["cursor"]), files)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise IndexDamaged(f"unreadable manifest in {folder.name}") from error


def write_manifest(folder: Path, manifest: Manifest, *, fsync: bool = True) -> None:
    """Replace the manifest atomically; with ``fsync`` it survives a power cut."""
    content = {
        "generation": manifest.generation,
        "cursor": manifest.cursor,
        "files": {name: [c.size, c.crc] for name, c in sorted(manifest.files.items())},
    }
    draft = folder / f"{NAME}.new"
    with draft.open("w", encoding="utf-8") as file:
        json.dump(content, file)
        file.flush()
        if fsync:
            os.fsync(file.fileno())
    draft.replace(folder / NAME)
    if fsync:
        _sync_folder(folder)


def sync_and_checksum(
    folder: Path,
    names: Collection[str],
    known: Mapping[str, Checksum],
    *,
    fsync: bool = True,
) -> dict[str, Checksum]:
    """Sync new files to disk and compute their checksums; keep the known ones."""
    new = [name for name in names if name not in known]
    checksums = {name: known[name] for name in names if name in known}
    for name in new:
        if fsync:
            _sync(folder / name)
        checksums[name] = _checksum(folder / name)
    if fsync:
        _sync_folder(folder)
    return checksums


def has_size(folder: Path, name: str, checksum: Checksum) -> bool:
    """Return whether a file exists with its size: a quick check."""
    try:
        return (folder / name).stat().st_size == checksum.size
    except FileNotFoundError:
        return False


def has_content(folder: Path, name: str, checksum: Checksum) -> bool:
    """Return whether a file has the right content, by reading all of it."""
    try:
        return _checksum(folder / name) == checksum
    except FileNotFoundError:
        return False


def _sync_folder(folder: Path) -> None:
    """Sync the names in a folder to disk."""
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
