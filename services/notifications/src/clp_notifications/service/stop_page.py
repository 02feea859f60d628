"""The page behind the link that stops mails: looking changes nothing, only POST acts.

Link scanners follow links, so GET shows a button. Mail programs POST by themselves
(RFC 8058). The page names nobody and nothing; a link that is not ours leads nowhere.
"""

from typing import Final

from werkzeug.wrappers import Response

from clp_notifications.parts import Parts
from clp_notifications.use_cases.mail_choices import stop_mails

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; form-action 'self'; frame-ancestors 'none'; "
        "sandbox allow-forms"
    ),
}
PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>Mails about a project</title>
</head>
<body>
<p>{words}</p>
{button}</body>
</html>
"""
ASK: Final = "Stop all mails about this project?"
DONE: Final = "You will get no more mails about this project."
UNKNOWN: Final = "This link does not work any more."
BUTTON: Final = '<form method="post"><button type="submit">Stop mails</button></form>\n'


def stop_answer(token: str, *, act: bool, parts: Parts) -> Response:
    """The page of a link, after doing what it says when asked to act."""
    if parts.seals.read_stop_token(token) is None:
        return _page(UNKNOWN, "", status=404)
    if act:
        stop_mails(token, parts=parts)
        return _page(DONE, "")
    return _page(ASK, BUTTON)


def _page(words: str, button: str, status: int = 200) -> Response:
    page = PAGE.format(words=words, button=button)
    return Response(page, status, mimetype="text/html", headers=dict(HEADERS))
