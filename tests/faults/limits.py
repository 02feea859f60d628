"""The limits of F1 beside the figures of a run: duplicates and durations."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

# Mails in flight of a worker that dies, at most.
MAX_IN_FLIGHT: Final = 16
MAX_DUPLICATE_SHARE: Final = 0.003
P99_S: Final = 1.0
MAX_CALL_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Limit:
    """An upper bound and the value of a run."""

    what: str
    most: float
    was: float
    # Durations depend on the load of the machine; the other limits do not.
    is_timing: bool = False

    @property
    def is_kept(self) -> bool:
        """Whether the value is within the bound."""
        return self.was <= self.most

    def text(self) -> str:
        """Return the limit as a line of the report."""
        verdict = "kept" if self.is_kept else "BROKEN"
        return f"limit {verdict}: {self.what} {self.was:g}, at most {self.most:g}"


def limits_of(figures: Mapping[str, Any], copies: int) -> tuple[Limit, ...]:
    """The limits of F1 for a run with so many delivery workers.

    A mail is duplicated when its acceptance was not recorded: the connection was cut,
    the worker was killed, or the row could not be written while the database was down.
    """
    twice, mails = figures["duplicate mails"], figures["mails"]
    stops = sum(line.startswith("database") for line in figures["outages"])
    deaths = figures["kills"].get("delivery", 0) + stops * copies
    return (
        Limit("acknowledged messages lost", 0, figures["acknowledged lost"]),
        Limit("notifications lost", 0, figures["notifications lost"]),
        Limit(
            "mails twice (cuts, and workers killed with mails in flight)",
            figures["cut after acceptance"] + deaths * MAX_IN_FLIGHT,
            twice,
        ),
        Limit(
            "share of mails twice", MAX_DUPLICATE_SHARE, round(twice / max(mails, 1), 5)
        ),
        Limit("p99 answer s", P99_S, figures["p99 answer s"], is_timing=True),
        Limit("longest call s", MAX_CALL_S, figures["longest call s"], is_timing=True),
    )
