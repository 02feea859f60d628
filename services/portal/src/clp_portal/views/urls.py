"""Addresses of pages. Outside ``/-/`` there is nothing but projects."""

from functools import lru_cache
from typing import Final
from urllib.parse import quote, urlencode

HOME: Final = "/"
SIGN_IN: Final = "/-/sign-in"
SIGN_IN_CALLBACK: Final = "/-/sign-in/callback"
SIGN_OUT: Final = "/-/sign-out"
SIGNED_OUT: Final = "/-/signed-out"
FIND_PROJECTS: Final = "/-/projects"
MAIL_SETTINGS: Final = "/-/mail-settings"
STREAM: Final = "/-/stream"
HELP: Final = "/-/help"
API: Final = "/-/api"
OPENAPI: Final = "/-/api/openapi.json"
MAX_NEXT_LENGTH: Final = 2000


def project_url(project: str) -> str:
    """Return the address of a project, which leads to its first unread message."""
    return f"/{quote(project, safe='')}"


def channel_url(channel: str, **arguments: object) -> str:
    """Return the address of a channel, with the arguments that are given."""
    given = {name: value for name, value in arguments.items() if value}
    query = f"?{urlencode(given)}" if given else ""
    return f"/{_quoted(channel)}{query}"


def message_url(channel: str, number: int, **arguments: object) -> str:
    """Return the address of a message in its channel."""
    query = _query(tuple(arguments.items())) if arguments else ""
    return f"/{_quoted(channel)}/{number}{query}#m{number}"


# A page has a hundred addresses in one channel, for few purposes.
@lru_cache(1024)
def _quoted(channel: str) -> str:
    return quote(channel)


@lru_cache(64)
def _query(arguments: tuple[tuple[str, object], ...]) -> str:
    return f"?{urlencode(arguments)}"


def following_url(project: str) -> str:
    """Return the address that follows and unfollows a project."""
    return f"/{quote(project, safe='')}/-/following"


def explanation_url(message: str) -> str:
    """Return the address of "who was told, and why"."""
    return f"/-/messages/{quote(message, safe='')}/explanation"


def revisions_url(message: str) -> str:
    """Return the address of the earlier texts of a message."""
    return f"/-/messages/{quote(message, safe='')}/revisions"


def attachment_url(attachment: str) -> str:
    """Return the address of a download."""
    return f"/-/attachments/{quote(attachment, safe='')}"


def sign_in_url(next_path: str) -> str:
    """Return the address of the sign-in that leads back to a page."""
    if next_path in {"", HOME}:
        return SIGN_IN
    return f"{SIGN_IN}?{urlencode({'next': next_path})}"


def local_path(given: str) -> str:
    r"""Return an address of this portal, home for whatever is none.

    A browser reads ``//host`` and ``/\host`` as another site, and drops tabs and line
    breaks before it looks.

    >>> local_path("/p1/broadcast?q=zebra"), local_path("//evil.example")
    ('/p1/broadcast?q=zebra', '/')
    """
    is_path = given.startswith("/") and not given.startswith(("//", "/\\"))
    is_clean = given.isprintable() and "\\" not in given
    return given if is_path and is_clean and len(given) <= MAX_NEXT_LENGTH else HOME
