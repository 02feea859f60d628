"""The page of the unsubscribe link: GET changes nothing, only POST acts (RFC 8058).

Link scanners follow links, so GET shows a button; mail programs POST by themselves. The
page names nobody and nothing; an unknown token gets 404.
"""

from collections.abc import Iterable
from typing import Final

from werkzeug.wrappers import Response

from clp_notifications.dependencies import Dependencies
from clp_notifications.mail.locales import N_, MailLocale, best_language, locale_of
from clp_notifications.unsubscribe_tokens import subscription_of, unsubscribe

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
<p>{sentence}</p>
{button}</body>
</html>
"""
STYLE: Final = (
    "body{margin:3em auto;padding:0 1em;max-width:30em;color-scheme:light dark;"
    "font:1.1em/1.5 system-ui,sans-serif;text-align:center}"
    "button{font:inherit;padding:.5em 1.5em}"
)
TITLE: Final = N_("Mails about a project")
QUESTION: Final = N_("Stop all mails about this project?")
DONE: Final = N_("You will get no more mails about this project.")
UNKNOWN: Final = N_("This link does not work any more.")
STOP: Final = N_("Stop mails")
BUTTON: Final = '<form method="post"><button type="submit">{stop}</button></form>\n'


def unsubscribe_response(
    token: str, *, act: bool, deps: Dependencies, languages: Iterable[str] = ()
) -> Response:
    """The page of a link, after unsubscribing when ``act`` is true.

    It is in the first of the languages that mails are translated to.
    """
    locale = locale_of(best_language(languages))
    with deps.database.reading() as session:
        subscription = subscription_of(session, token)
    if subscription is None:
        return _page(locale, UNKNOWN, status=404)
    if act:
        unsubscribe(deps.database, token, at=deps.clock())
        return _page(locale, DONE)
    return _page(locale, QUESTION, button=BUTTON.format(stop=locale.translate(STOP)))


def _page(
    locale: MailLocale, sentence: str, *, button: str = "", status: int = 200
) -> Response:
    page = PAGE.format(
        language=locale.language,
        direction=locale.direction,
        title=locale.translate(TITLE),
        style=STYLE,
        sentence=locale.translate(sentence),
        button=button,
    )
    return Response(page, status, mimetype="text/html", headers=dict(HEADERS))
