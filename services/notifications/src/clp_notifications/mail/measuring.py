"""How much fits into the markup of a mail, which stays below 60 kB (H12)."""

from collections.abc import Sequence
from typing import Final

from markupsafe import escape

from clp_notifications.mail.content import Said
from clp_notifications.mail.display_text import cut, one_line, shown_text

LONGEST_TITLE: Final = 400
LONGEST_NAME: Final = 120
# This much for people's words, the rest for ours.
ROOM_FOR_MESSAGES: Final = 48_000
ROOM_AROUND_MESSAGE: Final = 1_200
ROOM_AROUND_FILE: Final = 500
MOST_MESSAGES: Final = 40
# Bytes of one in markup: an escaped quote, or the tag of a line's end.
LARGEST_SIGN: Final = 5


def those_that_fit(said: Sequence[Said]) -> list[Said]:
    """As many messages as fit, the first ones; at least one."""
    if len(said) == 1:
        return [*said]
    shown: list[Said] = []
    room = ROOM_FOR_MESSAGES
    for one in said[:MOST_MESSAGES]:
        room -= _markup_size(one)
        if shown and room < 0:
            break
        shown.append(one)
    return shown


def kept_of_text(said: Said, text: str) -> str:
    """The start of a message's text that fits beside all else of the message."""
    if not said.files and len(text) * LARGEST_SIGN <= ROOM_FOR_MESSAGES // 2:
        return text
    room = ROOM_FOR_MESSAGES - _markup_size(said) + _size(text)
    if _size(text) <= room:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (
            (middle, high) if _size(text[:middle]) <= room else (low, middle - 1)
        )
    return cut(text, max(low, 1))


def _size(text: str) -> int:
    """Bytes of a text in markup, where each line end becomes a tag."""
    return len(escape(text).encode()) + len("<br>") * text.count("\n")


def _markup_size(said: Said) -> int:
    size_of_files = sum(
        _size(one_line(file.name)) + ROOM_AROUND_FILE for file in said.files
    )
    return ROOM_AROUND_MESSAGE + _size(shown_text(said.text)) + size_of_files
