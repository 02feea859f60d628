"""Growth of processes: memory and open files, warm and at the end."""

import os
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

# A process fills its caches and pools first.
WARM_UP_S: Final = 120.0
# A process may grow by this share of its memory.
MAX_GROWTH: Final = 0.05
# Smaller differences are noise of the allocator.
NOISE_MIB: Final = 2.0
PAGE: Final = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class ResourceUse:
    """Memory and open files of a process at one moment."""

    at: float
    rss_mib: float
    files: int


class Growth:
    """Samples the processes of a group."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, int], list[ResourceUse]] = defaultdict(list)

    def sample(self, processes: Mapping[str, int]) -> None:
        """Sample each process; ``processes`` maps names to process ids."""
        for name, pid in processes.items():
            if resources := resources_of(pid):
                self._seen[name, pid].append(resources)

    def note(self, name: str, pid: int, resources: ResourceUse) -> None:
        """Add one sample of a process."""
        self._seen[name, pid].append(resources)

    def lifetimes(self) -> Iterator[tuple[str, list[ResourceUse]]]:
        """Yield each process that lived long enough, with its samples when warm."""
        for (name, pid), seen in sorted(self._seen.items()):
            warm = [
                resources
                for resources in seen
                if resources.at >= seen[0].at + WARM_UP_S
            ]
            if len(warm) > 1:
                yield f"{name} ({pid})", warm

    def figures(self) -> dict[str, str]:
        """For each process: memory and open files, warm and at last."""
        return {
            name: f"{warm[0].rss_mib:.1f} -> {warm[-1].rss_mib:.1f} MiB,"
            f" {warm[0].files} -> {warm[-1].files} files"
            f" in {warm[-1].at - warm[0].at:.0f} s"
            for name, warm in self.lifetimes()
        }

    def broken(self) -> list[str]:
        """Return the processes that grew."""
        return [line for name, warm in self.lifetimes() for line in _grown(name, warm)]


def _grown(name: str, warm: list[ResourceUse]) -> Iterator[str]:
    """Compare minimum with maximum of two halves: a momentary peak is no growth."""
    half = len(warm) // 2
    before, after = warm[:half], warm[half:]
    least_mib = min(resources.rss_mib for resources in after)
    most_mib = max(resources.rss_mib for resources in before)
    if least_mib > most_mib * (1 + MAX_GROWTH) + NOISE_MIB:
        yield f"F2 {name} grew from {most_mib:.1f} to {least_mib:.1f} MiB"
    least, most = (
        min(resources.files for resources in after),
        max(resources.files for resources in before),
    )
    if least > most:
        yield f"F2 {name} keeps {least} files open and had {most}"


def resources_of(pid: int) -> ResourceUse | None:
    """Return the current resources of a process; None once it is gone."""
    place = Path("/proc") / str(pid)
    try:
        pages = int((place / "statm").read_text().split()[1])
        files = sum(1 for _ in (place / "fd").iterdir())
    except (OSError, ValueError, IndexError):
        return None
    return ResourceUse(time.monotonic(), pages * PAGE / 2**20, files)
