"""Mail settings: the mode of all projects and of each, and what mails show."""

from typing import Final

from clp_contracts.notifications import DEFAULT_MODE
from clp_portal.pages.shortened_lists import shortened
from clp_portal.views.mail_settings import mail_settings_view
from clp_portal.views.urls import MAIL_SETTINGS
from clp_portal.web import Context, RedirectResponse, Response, TemplateResponse

SAVED: Final = "saved"


def show_mail_settings(context: Context) -> Response:
    """Show the settings as a form."""
    settings = context.clients.notifications.mail_settings()
    # Those with a mode of their own come first.
    chosen = {one.project for one in settings.projects}
    projects = sorted(
        context.followed(), key=lambda one: (one.id not in chosen, one.title.casefold())
    )
    shown, all_url = shortened(projects, context.request, MAIL_SETTINGS)
    values = {
        "settings": mail_settings_view(settings, shown, context.locale),
        "all_url": all_url,
        "saved": bool(context.notice.get(SAVED)),
    }
    return TemplateResponse(template="mail_settings.html", values=values)


def change_mail_settings(context: Context) -> Response:
    """Store what the form says: the default, the content, and changed projects."""
    form = context.request.form
    now = context.clients.notifications.mail_settings()
    default, content = form.get("default", now.default), form.get("content") == "1"
    if default != now.default or content != now.content:
        context.clients.notifications.mail_settings(mode=default, content=content)
    chosen = {one.project: one.mode for one in now.projects}
    for name, mode in form.pairs:
        kind, _, project = name.partition(":")
        if kind == "project" and mode != chosen.get(project, DEFAULT_MODE):
            context.clients.notifications.mail_settings(project=project, mode=mode)
    return RedirectResponse(location=MAIL_SETTINGS, notice={SAVED: True})
