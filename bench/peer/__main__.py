"""Compare with Synapse: ``make bench-peer``; both in rotation, medians and spread.

Each side runs in a process tree of its own, with its servers and its client in it, so
that CPU is counted for all that a message causes. A measurement lasts until the tree is
idle: deferred work counts too.
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
from tests.support.command_line import command_parser

SIDES: Final = ("ours", "synapse")
IDLE_CPU_S, IDLE_INTERVAL_S, MAX_IDLE_WAIT_S = 0.04, 0.5, 30.0


@dataclass(slots=True)
class Side:
    """One running side and its measurements."""

    process: "subprocess.Popen[str]"
    values: dict[str, list[float]] = field(default_factory=dict)

    def run(self, command: str, **options: int) -> float:
        """Run a command; return its seconds."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"do": command, **options}) + "\n")
        self.process.stdin.flush()
        return float(self.read_line()["seconds"])

    def read_line(self) -> dict[str, Any]:
        """Read the next line of its output."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"a side ended early: {self.process.args}")
        response: dict[str, Any] = json.loads(line)
        return response

    def keep(self, measure: str, value: float) -> None:
        """Keep a measured value."""
        self.values.setdefault(measure, []).append(value)

    def cpu(self) -> float:
        """CPU seconds of its whole process tree so far."""
        return cpu_of_tree(self.process.pid)

    def wait_until_idle(self) -> None:
        """Wait until nothing is left to do."""
        deadline = time.monotonic() + MAX_IDLE_WAIT_S
        before = self.cpu()
        while time.monotonic() < deadline:
            time.sleep(IDLE_INTERVAL_S)
            now = self.cpu()
            if now - before < IDLE_CPU_S:
                return
            before = now


def main() -> None:
    """Run the comparison and print its table."""
    parser = command_parser()
    parser.add_argument("--kind", choices=("embedded", "servers"), default="embedded")
    parser.add_argument(
        "--messages", type=int, default=200, help="a round and scenario"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--synapse", required=True, help="interpreter that has Synapse")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as running:
        sides = {
            side: running.enter_context(_started(side, Path(folder), options))
            for side in SIDES
        }
        for number in range(options.rounds + 1):
            for name, side in sides.items():
                _print(f"round {number} of {options.rounds}: {name}")
                _round(side, number, options.messages)
            if (
                number == 0
            ):  # Caches fill, code is loaded: the first round is not counted.
                for side in sides.values():
                    side.values.clear()
        sys.stdout.write(_table(sides, options))


@contextmanager
def _started(side: str, folder: Path, options: argparse.Namespace) -> Iterator[Side]:
    command = [sys.executable, "-W", "ignore", "-m", f"bench.peer.{side}"]
    command += [str(folder / side), options.kind]
    if side == "synapse":
        command.append(options.synapse)
    _print(f"starting {side} ({options.kind})")
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        started = Side(process)
        started.read_line()
        yield started
        assert process.stdin is not None
        process.stdin.close()


def _round(side: Side, number: int, messages: int) -> None:
    first = number * 10 * messages
    for place, command in enumerate(("one_writer", "eight_writers")):
        side.wait_until_idle()
        before = side.cpu()
        start = first + place * 2 * messages
        seconds = side.run(command, first=start, messages=messages)
        side.wait_until_idle()
        side.keep(f"{command}: messages/s", messages / seconds)
        side.keep(f"{command}: CPU ms/message", (side.cpu() - before) * 1000 / messages)
    for command in ("broadcast", "search", "unread"):
        times = [side.run(command) for _ in range(5)]
        side.keep(f"{command}: ms", statistics.median(times) * 1000)
    side.run("listen")
    # Not counted: the first one loads code and connections.
    live = [side.run("live", number=first + 9 * messages + n) for n in range(10)][1:]
    side.keep("live, to 49 readers: ms", statistics.median(live) * 1000)
    side.run("leave")
    side.run("prepare_mail")
    side.wait_until_idle()
    side.keep("48 mails: ms", side.run("mails") * 1000)


def _table(sides: dict[str, Side], options: argparse.Namespace) -> str:
    ours, peers = (sides[name].values for name in SIDES)
    lines = [
        "",
        f"{options.kind}, {options.messages} messages, {options.rounds} rounds in turn",
        "",
        "| measured | ours | Synapse | ours : Synapse | spread of the ratio |",
        "| --- | --- | --- | --- | --- |",
    ]
    for measure, own in ours.items():
        ratios = sorted(a / b for a, b in zip(own, peers[measure], strict=True))
        lines.append(
            f"| {measure} | {statistics.median(own):.1f}"
            f" | {statistics.median(peers[measure]):.1f}"
            f" | {statistics.median(ratios):.2f} | {ratios[0]:.2f} to {ratios[-1]:.2f} |"
        )
    return "\n".join(lines) + "\n"


def _print(words: str) -> None:
    sys.stderr.write(words + "\n")


if __name__ == "__main__":
    main()
