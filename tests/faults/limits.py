"""R1's limits beside what a run showed: how many mails came twice, how long it took."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

# A worker that dies has so many mails in hand at most.
IN_HAND: Final = 16
MOST_TWICE: Final = 0.003
P99_S: Final = 1.0
LONGEST_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Limit:
    """What may be at most, and what was."""

    what: str
    most: float
    was: float
    # Time is what the machine gives as well; the others are ours alone.
    is_of_time: bool = False

    @property
    def is_kept(self) -> bool:
        """Whether it was no more."""
        return self.was <= self.most

    def told(self) -> str:
        """A line for whoever reads the run's end."""
        verdict = "kept" if self.is_kept else "BROKEN"
        return f"limit {verdict}: {self.what} {self.was:g}, at most {self.most:g}"


def limits_of(figures: Mapping[str, Any], copies: int) -> tuple[Limit, ...]:
    """The limits of R1 for a run with so many delivery workers.

    A mail comes twice when nobody learnt that it was taken: its connection was cut, its
    worker was killed, or the row could not be written while the database was away.
    """
    twice, mails = figures["duplicate mails"], figures["mails"]
    stops = sum(line.startswith("database") for line in figures["outages"])
    deaths = figures["kills"].get("delivery", 0) + stops * copies
    return (
        Limit("acknowledged messages lost", 0, figures["acknowledged lost"]),
        Limit("notifications lost", 0, figures["notifications lost"]),
        Limit(
            "mails twice (cuts, and workers that died with mails in hand)",
            figures["cut after acceptance"] + deaths * IN_HAND,
            twice,
        ),
        Limit("share of mails twice", MOST_TWICE, round(twice / max(mails, 1), 5)),
        Limit("p99 answer s", P99_S, figures["p99 answer s"], is_of_time=True),
        Limit("longest call s", LONGEST_S, figures["longest call s"], is_of_time=True),
    )
