"""Whether processes grow: what each held once it was warm, and what it holds at last."""

import os
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

# A process fills its caches and pools first.
WARM_AFTER_S: Final = 120.0
# So much of a process's memory may come on top.
MOST_GROWTH: Final = 0.05
# Less is what an allocator does between two looks.
NOTHING_MIB: Final = 2.0
PAGE: Final = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Held:
    """What a process held at one moment."""

    at: float
    rss_mib: float
    files: int


class Growth:
    """Looks at the processes of a crew from time to time."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, int], list[Held]] = defaultdict(list)

    def look(self, processes: Mapping[str, int]) -> None:
        """Note what each holds now; ``processes`` are names and process ids."""
        for name, pid in processes.items():
            if held := held_by(pid):
                self._seen[name, pid].append(held)

    def note(self, name: str, pid: int, held: Held) -> None:
        """Note what was seen of a process."""
        self._seen[name, pid].append(held)

    def lives(self) -> Iterator[tuple[str, list[Held]]]:
        """Each process that lived long enough, with what it held while it was warm."""
        for (name, pid), seen in sorted(self._seen.items()):
            warm = [held for held in seen if held.at >= seen[0].at + WARM_AFTER_S]
            if len(warm) > 1:
                yield f"{name} ({pid})", warm

    def figures(self) -> dict[str, str]:
        """For each process: memory and open files, warm and at last."""
        return {
            name: f"{warm[0].rss_mib:.1f} -> {warm[-1].rss_mib:.1f} MiB,"
            f" {warm[0].files} -> {warm[-1].files} files"
            f" in {warm[-1].at - warm[0].at:.0f} s"
            for name, warm in self.lives()
        }

    def broken(self) -> list[str]:
        """The processes that grew."""
        return [line for name, warm in self.lives() for line in _grown(name, warm)]


def _grown(name: str, warm: list[Held]) -> Iterator[str]:
    """The least of a half is compared: what is in hand at a moment is no growth."""
    half = len(warm) // 2
    before, after = warm[:half], warm[half:]
    least_mib = min(held.rss_mib for held in after)
    most_mib = max(held.rss_mib for held in before)
    if least_mib > most_mib * (1 + MOST_GROWTH) + NOTHING_MIB:
        yield f"R2 {name} grew from {most_mib:.1f} to {least_mib:.1f} MiB"
    least, most = min(held.files for held in after), max(held.files for held in before)
    if least > most:
        yield f"R2 {name} keeps {least} files open and had {most}"


def held_by(pid: int) -> Held | None:
    """What a process holds now; nothing once it is gone."""
    place = Path("/proc") / str(pid)
    try:
        pages = int((place / "statm").read_text().split()[1])
        files = sum(1 for _ in (place / "fd").iterdir())
    except (OSError, ValueError, IndexError):
        return None
    return Held(time.monotonic(), pages * PAGE / 2**20, files)
