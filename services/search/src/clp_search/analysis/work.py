"""A budget of work, counted in steps and not in time.

A step is about the work of one token or one normalized character, some tenths of a
microsecond. Counted steps are the same on every machine and under any load, so a text
or a query that is refused once is refused always.
"""

from typing import Final

# Enough for any keywords in the longest text that is indexed.
MAX_STEPS_OF_TEXT: Final = 400_000


class OverBudget(Exception):
    """The work takes more steps than allowed."""


class WorkBudget:
    """Counts steps down from a limit."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def spend(self, steps: int) -> None:
        """Take steps from the budget.

        Raises:
            OverBudget: when fewer are left.
        """
        self.left -= steps
        if self.left < 0:
            raise OverBudget

    def spend_on(self, text: str, folded: str, *, quicker: int = 1) -> None:
        """Take a step for each character; those that folding drops were read as well.

        Raises:
            OverBudget: when fewer are left.
        """
        self.spend(max(len(folded), len(text)) // quicker)


def unbounded() -> WorkBudget:
    """Return a budget for texts of known length, such as a query."""
    return WorkBudget(1 << 62)
