"""Limits of mentions as data."""

from dataclasses import dataclass
from typing import Final

from clp_core.decisions import InvalidValue


@dataclass(frozen=True, slots=True, kw_only=True)
class MentionPolicy:
    """How many people a message may mention, and how long a name may be (rule 20).

    ``max_name_length`` is in characters; it bounds how far a name is looked for.
    """

    max_people: int = 50
    max_name_length: int = 200

    def __post_init__(self) -> None:
        """A limit that admits nothing is a mistake."""
        for name in ("max_people", "max_name_length"):
            if getattr(self, name) < 1:
                raise InvalidValue(f"{name}: must be at least 1")


PUBLISHED_MENTIONS: Final = MentionPolicy()
