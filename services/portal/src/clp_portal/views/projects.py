"""My Projects, and the projects that a person finds (rules 43 and 44)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from clp_contracts.messages import ProjectUnread
from clp_contracts.projects import ProjectView
from clp_portal.translation import Locale
from clp_portal.views.unread import UnreadCount, project_unread
from clp_portal.views.urls import following_url, project_url


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectRow:
    """A project in a list, with the last number of each channel that was counted."""

    id: str
    title: str
    url: str
    languages: str
    following: bool
    following_url: str
    unread: UnreadCount | None = None
    last_numbers: Mapping[str, int] = field(default_factory=dict)


def my_projects(
    projects: Iterable[ProjectView],
    unread: Iterable[ProjectUnread],
    locale: Locale,
) -> tuple[ProjectRow, ...]:
    """Draw the followed projects: unread first, then by title.

    Never by activity: the order must not move when another partner speaks.
    """
    numbers = {one.project: one for one in unread}
    rows = [_followed(project, numbers, locale) for project in projects]
    return tuple(
        sorted(rows, key=lambda row: (row.unread is None, row.title.casefold(), row.id))
    )


def found_projects(
    projects: Iterable[ProjectView], locale: Locale
) -> tuple[ProjectRow, ...]:
    """Draw the projects that were found, in their order."""
    return tuple(
        ProjectRow(
            id=project.id,
            title=project.title,
            url=project_url(project.id),
            languages=_language_names(project.languages, locale),
            following=project.following,
            following_url=following_url(project.id),
        )
        for project in projects
    )


def _followed(
    project: ProjectView, unread: Mapping[str, ProjectUnread], locale: Locale
) -> ProjectRow:
    number = unread.get(project.id)
    return ProjectRow(
        id=project.id,
        title=project.title,
        url=project_url(project.id),
        languages=_language_names(project.languages, locale),
        following=True,
        following_url=following_url(project.id),
        unread=None
        if number is None
        else project_unread(number, project.title, locale),
        last_numbers={}
        if number is None
        else {one.channel: one.last for one in number.channels},
    )


def _language_names(tags: Iterable[str], locale: Locale) -> str:
    names = sorted(locale.language_name(tag) for tag in tags)
    return " · ".join(names)
