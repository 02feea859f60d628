"""My Projects, and finding and following others."""

from clp_contracts.messages import ProjectUnread
from clp_portal.pages.shortened_lists import shortened
from clp_portal.views.projects import found_projects, my_projects
from clp_portal.views.urls import FIND_PROJECTS, HOME, local_path
from clp_portal.web import Context, RedirectResponse, Response, TemplateResponse


def show_my_projects(context: Context) -> Response:
    """Show the followed projects with their unread numbers."""
    projects = context.followed()
    unread: tuple[ProjectUnread, ...] = ()
    if projects:
        ids = [project.id for project in projects]
        unread = context.clients.messages.unread(projects=ids).projects
    # Unread ones come first.
    rows = my_projects(projects, unread, context.locale)
    shown, all_url = shortened(rows, context.request, HOME)
    values = {"projects": shown, "all_url": all_url}
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
