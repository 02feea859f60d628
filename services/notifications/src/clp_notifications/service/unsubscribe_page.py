"""The page behind the link that stops mails: looking changes nothing, only POST acts.

Link scanners follow links, so GET shows a button. Mail programs POST by themselves
(RFC 8058). The page names nobody and nothing; a link that is not ours leads nowhere.
"""

from collections.abc import Iterable
from typing import Final

from werkzeug.wrappers import Response

from clp_notifications.dependencies import Parts
from clp_notifications.mail.locales import N_, Tongue, best_of, tongue_of
from clp_notifications.routing.mail_settings import stop_mails

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
        "frame-ancestors 'none'; "
        "sandbox allow-forms"
    ),
}
PAGE: Final = """<!doctype html>
<html lang="{language}" dir="{direction}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<p>{words}</p>
{button}</body>
</html>
"""
STYLE: Final = (
    "body{margin:3em auto;padding:0 1em;max-width:30em;color-scheme:light dark;"
    "font:1.1em/1.5 system-ui,sans-serif;text-align:center}"
    "button{font:inherit;padding:.5em 1.5em}"
)
TITLE: Final = N_("Mails about a project")
ASK: Final = N_("Stop all mails about this project?")
DONE: Final = N_("You will get no more mails about this project.")
UNKNOWN: Final = N_("This link does not work any more.")
STOP: Final = N_("Stop mails")
BUTTON: Final = '<form method="post"><button type="submit">{stop}</button></form>\n'


def stop_answer(
    token: str, *, act: bool, parts: Parts, languages: Iterable[str] = ()
) -> Response:
    """The page of a link, after doing what it says when asked to act.

    It speaks the first of the languages that we know.
    """
    tongue = tongue_of(best_of(languages))
    if parts.seals.read_stop_token(token) is None:
        return _page(tongue, UNKNOWN, status=404)
    if act:
        stop_mails(token, parts=parts)
        return _page(tongue, DONE)
    return _page(tongue, ASK, button=BUTTON.format(stop=tongue.said(STOP)))


def _page(
    tongue: Tongue, words: str, *, button: str = "", status: int = 200
) -> Response:
    page = PAGE.format(
        language=tongue.language,
        direction=tongue.direction,
        title=tongue.said(TITLE),
        style=STYLE,
        words=tongue.said(words),
        button=button,
    )
    return Response(page, status, mimetype="text/html", headers=dict(HEADERS))
