"""What clients and relay saw: the judge, kept outside the system and written as it goes."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Acked:
    """A post that was answered: from here on it must never be lost."""

    word: str
    channel: str
    author: str
    id: str
    number: int
    at: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Handed:
    """A mail that the relay took."""

    id: str
    to: str
    words: tuple[str, ...]
    begun: float
    at: float
    cut: bool
    # How many messages it tells of without showing them.
    more: int = 0


@dataclass
class Ledger:
    """The clients' side of a run."""

    path: Path
    acked: dict[str, Acked] = field(default_factory=dict)
    # Given up after a call that failed: stored or not, but never twice.
    doubtful: set[str] = field(default_factory=set)
    failures: Counter[str] = field(default_factory=Counter)
    longest_failure_s: float = 0.0
    # person -> spans of time without access: from the answer to the next call that
    # gives it back.
    barred: dict[str, list[tuple[float, float]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    # What the control has acknowledged, and when.
    naive: dict[str, float] = field(default_factory=dict)

    def read_back(self) -> int:
        """Go on with what a killed process has written; say how much that is."""
        if self.path.exists():
            # A line that was cut in the middle was never an acknowledgement.
            whole = self.path.read_text().rpartition("\n")[0].splitlines()
            for line in map(json.loads, whole):
                if "doubtful" in line:
                    self.doubtful.add(line["doubtful"])
                else:
                    self.acked[line["word"]] = Acked(**line)
        return len(self.acked) + len(self.doubtful)

    def ack(self, acked: Acked) -> None:
        """Write down an answer before anything else happens."""
        self.acked[acked.word] = acked
        self._write(asdict(acked))

    def doubt(self, word: str) -> None:
        """Write down that a client will never know."""
        self.doubtful.add(word)
        self._write({"doubtful": word})

    def fail(self, error: str, seconds: float) -> None:
        """Count a call that failed."""
        self.failures[error] += 1
        self.longest_failure_s = max(self.longest_failure_s, seconds)

    def _write(self, line: dict[str, Any]) -> None:
        with self.path.open("a") as log:
            log.write(json.dumps(line) + "\n")


def handed(log: Path) -> Iterator[Handed]:
    """The mails in the relay's log."""
    if not log.exists():
        return
    for line in log.read_text().splitlines():
        one = json.loads(line)
        yield Handed(
            id=one["id"],
            to=one["to"].partition("@")[0],
            words=tuple(one["words"]),
            more=one.get("more", 0),
            begun=one["begun"],
            at=one["at"],
            cut=one["cut"],
        )
