"""My Projects, and finding and following others."""

from typing import Final

from clp_contracts.messages import ProjectUnread
from clp_portal.views.projects import found_projects, my_projects
from clp_portal.views.urls import ALL, FIND_PROJECTS, HOME, local_path
from clp_portal.web import Context, RedirectResponse, Response, TemplateResponse

# A list of more projects is a link away: unread ones come first.
MAX_SHOWN: Final = 50


def show_my_projects(context: Context) -> Response:
    """Show the followed projects with their unread numbers."""
    projects = context.followed()
    unread: tuple[ProjectUnread, ...] = ()
    if projects:
        ids = [project.id for project in projects]
        unread = context.clients.messages.unread(projects=ids).projects
    rows = my_projects(projects, unread, context.locale)
    shown = rows if ALL in context.request.query else rows[:MAX_SHOWN]
    values = {
        "projects": shown,
        "all_url": f"{HOME}?{ALL}=1" if len(shown) < len(rows) else "",
    }
    return TemplateResponse(template="projects.html", values=values)


def show_found_projects(context: Context) -> Response:
    """Show the projects whose title or id fits what was typed."""
    query = context.request.query
    typed = query.get("q").strip()
    found = context.clients.projects.find_projects(
        typed=typed, cursor=query.get("cursor") or None
    )
    values = {
        "typed": typed,
        "projects": found_projects(found.projects, context.locale),
        "cursor": found.cursor,
        "address": FIND_PROJECTS,
    }
    return TemplateResponse(template="find_projects.html", values=values)


def change_following(context: Context) -> Response:
    """Follow or unfollow a project, then go back to where the button was."""
    form = context.request.form
    project = context.value("project")
    if form.get("following") == "1":
        context.clients.projects.follow(project=project)
    else:
        context.clients.projects.unfollow(project=project)
    return RedirectResponse(location=local_path(form.get("next")))
