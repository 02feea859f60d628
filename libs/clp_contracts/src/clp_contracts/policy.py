"""The limits on texts, mentions and attachments that a deployment has set."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The limits in force (rules 9, 20, 26 and 27).

    ``extensions`` are accepted for attachments, sorted; ``max_bytes`` bounds a file,
    ``max_files`` the files of a message, ``max_characters`` its text and ``max_people``
    the people it mentions.
    """

    extensions: tuple[str, ...]
    max_bytes: int
    max_files: int
    max_characters: int
    max_people: int
