"""Limits of mentions as data."""

from dataclasses import dataclass
from typing import Final

from clp_core.decisions import InvalidValue


@dataclass(frozen=True, slots=True, kw_only=True)
class MentionPolicy:
    """Limits of mentions (rule 20).

    ``max_people`` counts people a message mentions; ``max_name_length`` is in
    characters, and longer names are not looked up.

    Raises:
        InvalidValue: if a limit is below 1.
    """

    max_people: int = 50
    max_name_length: int = 200

    def __post_init__(self) -> None:
        """A limit that admits nothing is a mistake."""
        for name in ("max_people", "max_name_length"):
            if getattr(self, name) < 1:
                raise InvalidValue(f"{name}: must be at least 1")


PUBLISHED_MENTIONS: Final = MentionPolicy()
