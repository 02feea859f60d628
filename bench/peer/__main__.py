"""The comparison: ``make bench-peer``; both sides in turn, medians and their spread.

Each side runs in a process tree of its own, with its servers and its caller in it, so
that CPU is counted for all that a message sets in motion. What is measured goes on until
the tree is calm: work put off is work.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from bench.peer.trees import cpu_of_tree

SIDES: Final = ("ours", "synapse")
CALM_CPU_S, CALM_LOOK_S, CALM_MOST_S = 0.04, 0.5, 30.0


@dataclass(slots=True)
class Side:
    """One running side and what was measured of it."""

    process: "subprocess.Popen[str]"
    seen: dict[str, list[float]] = field(default_factory=dict)

    def ask(self, what: str, **given: int) -> float:
        """Have it do something; the seconds it took."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"do": what, **given}) + "\n")
        self.process.stdin.flush()
        return float(self.answer()["seconds"])

    def answer(self) -> dict[str, Any]:
        """The next line it says."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"a side ended early: {self.process.args}")
        told: dict[str, Any] = json.loads(line)
        return told

    def keep(self, measure: str, value: float) -> None:
        """Remember a measured value."""
        self.seen.setdefault(measure, []).append(value)

    def cpu(self) -> float:
        """CPU seconds of its whole tree so far."""
        return cpu_of_tree(self.process.pid)

    def calm_down(self) -> None:
        """Wait until nothing is left to do."""
        deadline = time.monotonic() + CALM_MOST_S
        before = self.cpu()
        while time.monotonic() < deadline:
            time.sleep(CALM_LOOK_S)
            now = self.cpu()
            if now - before < CALM_CPU_S:
                return
            before = now


def main() -> None:
    """Run the comparison and print its table."""
    asked = argparse.ArgumentParser(prog="python -m bench.peer", description=__doc__)
    asked.add_argument("--kind", choices=("embedded", "servers"), default="embedded")
    asked.add_argument("--messages", type=int, default=200, help="a round and scenario")
    asked.add_argument("--rounds", type=int, default=3)
    asked.add_argument("--synapse", required=True, help="interpreter that has Synapse")
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as running:
        sides = {
            side: running.enter_context(_started(side, Path(folder), given))
            for side in SIDES
        }
        for number in range(given.rounds + 1):
            for name, side in sides.items():
                _say(f"round {number} of {given.rounds}: {name}")
                _round(side, number, given.messages)
            if (
                number == 0
            ):  # Caches fill, code is loaded: the first round is not counted.
                for side in sides.values():
                    side.seen.clear()
        sys.stdout.write(_table(sides, given))


@contextmanager
def _started(side: str, folder: Path, given: argparse.Namespace) -> Iterator[Side]:
    command = [sys.executable, "-W", "ignore", "-m", f"bench.peer.{side}"]
    command += [str(folder / side), given.kind]
    if side == "synapse":
        command.append(given.synapse)
    _say(f"starting {side} ({given.kind})")
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        started = Side(process)
        started.answer()
        yield started
        assert process.stdin is not None
        process.stdin.close()


def _round(side: Side, number: int, messages: int) -> None:
    first = number * 10 * messages
    for place, what in enumerate(("one_writer", "eight_writers")):
        side.calm_down()
        before = side.cpu()
        start = first + place * 2 * messages
        seconds = side.ask(what, first=start, messages=messages)
        side.calm_down()
        side.keep(f"{what}: messages/s", messages / seconds)
        side.keep(f"{what}: CPU ms/message", (side.cpu() - before) * 1000 / messages)
    for what in ("broadcast", "search", "unread"):
        times = [side.ask(what) for _ in range(5)]
        side.keep(f"{what}: ms", statistics.median(times) * 1000)
    side.ask("prepare_mail")
    side.calm_down()
    side.keep("48 mails: ms", side.ask("mails") * 1000)


def _table(sides: dict[str, Side], given: argparse.Namespace) -> str:
    ours, theirs = (sides[name].seen for name in SIDES)
    lines = [
        "",
        f"{given.kind}, {given.messages} messages, {given.rounds} rounds in turn",
        "",
        "| measured | ours | Synapse | ours : Synapse | spread of the ratio |",
        "| --- | --- | --- | --- | --- |",
    ]
    for measure, mine in ours.items():
        ratios = sorted(a / b for a, b in zip(mine, theirs[measure], strict=True))
        lines.append(
            f"| {measure} | {statistics.median(mine):.1f}"
            f" | {statistics.median(theirs[measure]):.1f}"
            f" | {statistics.median(ratios):.2f} | {ratios[0]:.2f} to {ratios[-1]:.2f} |"
        )
    return "\n".join(lines) + "\n"


def _say(words: str) -> None:
    sys.stderr.write(words + "\n")


if __name__ == "__main__":
    main()
