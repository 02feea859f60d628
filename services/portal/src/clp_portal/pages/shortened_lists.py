"""Long lists of projects: the first ones, and all of them a link away."""

from collections.abc import Sequence
from typing import Final, TypeVar

from clp_portal.web import Request

MAX_SHOWN: Final = 50
ALL: Final = "all"

Row = TypeVar("Row")


def shortened(
    rows: Sequence[Row], request: Request, url: str
) -> tuple[Sequence[Row], str]:
    """Return the rows to show, and the address of all if some are left out."""
    if ALL in request.query or len(rows) <= MAX_SHOWN:
        return rows, ""
    return rows[:MAX_SHOWN], f"{url}?{ALL}=1"
