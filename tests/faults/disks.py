"""Small disks that can be filled: a tmpfs, where this account may mount one."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class MountRefused(Exception):
    """This account may not mount a disk; the text is the error of the system."""


@contextmanager
def small_disk(place: Path, megabytes: int) -> Iterator[Path]:
    """An empty disk of so many megabytes, gone afterwards."""
    place.mkdir(parents=True)
    options = f"size={megabytes}m,mode=0755"
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "clp-small-disk", str(place)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        raise MountRefused(mounted.stderr.strip())
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def fill(disk: Path) -> Path:
    """Take every byte that is left; deleting the file frees them."""
    filler = disk / "filler"
    with filler.open("ab", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            piece = os.urandom(size)
            while True:
                try:
                    if file.write(piece) < size:
                        break
                except OSError:
                    break
    return filler
