"""The cookies of the portal: names with the ``__Host-`` prefix, and their attributes.

The prefix binds a cookie to this host, to https (or loopback) and to the path ``/``.
"""

from typing import Final

from werkzeug.wrappers import Request, Response

SESSION: Final = "__Host-clp"
# Keeps state, nonce and verifier of a sign-in under way, encrypted.
SIGN_IN: Final = "__Host-clp-sign-in"
SIGN_IN_TTL_S: Final = 600
# What the next page shows once, encrypted.
NOTICE: Final = "__Host-clp-notice"
NOTICE_TTL_S: Final = 60


def read_cookie(request: Request, name: str) -> str:
    """Return a cookie, empty when there is none."""
    return request.cookies.get(name, "")


def set_cookie(
    response: Response, name: str, value: str, *, max_age_s: int | None = None
) -> None:
    """Set a cookie; without ``max_age_s`` it lasts as long as the browser runs.

    ``SameSite=Lax``: a link in a mail must open with the session.
    """
    response.set_cookie(
        name,
        value,
        max_age=max_age_s,
        path="/",
        secure=True,
        httponly=True,
        samesite="Lax",
    )


def delete_cookie(response: Response, name: str) -> None:
    """Delete a cookie."""
    response.delete_cookie(name, path="/", secure=True, httponly=True, samesite="Lax")
