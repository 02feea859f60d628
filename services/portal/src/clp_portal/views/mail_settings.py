"""The page of mail settings: when mails come, and their content."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from clp_contracts.notifications import DEFAULT_MODE, MailSettings
from clp_contracts.projects import ProjectView
from clp_portal.translation import N_, Locale

MODES: Final = {
    "at_once": N_("At once"),
    "batched": N_("A few together"),
    "daily": N_("Once a day"),
    "off": N_("Never"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One value of a choice."""

    value: str
    label: str
    chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectMode:
    """The mode of one project."""

    id: str
    title: str
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MailSettingsView:
    """The settings as a form."""

    options: tuple[Option, ...]
    projects: tuple[ProjectMode, ...]
    content: bool


def mail_settings_view(
    settings: MailSettings, projects: Iterable[ProjectView], locale: Locale
) -> MailSettingsView:
    """Draw the settings of a person, with a row for each followed project."""
    chosen = {one.project: one.mode for one in settings.projects}
    return MailSettingsView(
        options=_options(settings.default, locale),
        projects=tuple(
            ProjectMode(
                id=project.id,
                title=project.title,
                options=(
                    Option(
                        value=DEFAULT_MODE,
                        label=locale.gettext("As above"),
                        chosen=project.id not in chosen,
                    ),
                    *_options(chosen.get(project.id), locale),
                ),
            )
            for project in projects
        ),
        content=settings.content,
    )


def _options(mode: str | None, locale: Locale) -> tuple[Option, ...]:
    return tuple(
        Option(value=value, label=locale.gettext(label), chosen=value == mode)
        for value, label in MODES.items()
    )
