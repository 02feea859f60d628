"""CPU time of a process and of everything it started, as the kernel counts it."""

import os
from collections import defaultdict
from pathlib import Path
from typing import Final, NamedTuple

TICK: Final = os.sysconf("SC_CLK_TCK")


class _Times(NamedTuple):
    parent: int
    # Its own, and that of its ended children.
    seconds: float


def cpu_of_tree(root: int) -> float:
    """Return the user and system seconds of a process, its descendants and ended ones."""
    times: dict[int, _Times] = {}
    children: defaultdict[int, list[int]] = defaultdict(list)
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and (found := _times(folder)) is not None:
            times[int(folder.name)] = found
            children[found.parent].append(int(folder.name))
    total, waiting = 0.0, [root]
    while waiting:
        number = waiting.pop()
        if number in times:
            total += times[number].seconds
        waiting += children[number]
    return total


def _times(folder: Path) -> _Times | None:
    try:
        stat = (folder / "stat").read_text()
    except OSError:
        return None
    # The name of a program, in brackets, may contain blanks.
    fields = stat.rpartition(")")[2].split()
    return _Times(int(fields[1]), sum(int(ticks) for ticks in fields[11:15]) / TICK)
