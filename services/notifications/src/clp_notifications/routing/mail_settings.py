"""Change and read when a person wants mails, and with what (rules 38, 40)."""

from sqlalchemy import select

from clp_contracts import notifications as contract
from clp_contracts.core_mapping import to_project
from clp_contracts.errors import Refused
from clp_core.channels import Channel, ProjectId
from clp_core.people import has_portal_access
from clp_core.visibility import may_read
from clp_notifications.dependencies import Dependencies
from clp_notifications.mapping import person_in, project_in
from clp_notifications.states import MailMode
from clp_notifications.tables import MailSetting
from clp_notifications.transitions import (
    drop_mode,
    people_without_content,
    set_content,
    set_mode,
)

DEFAULT = MailMode.BATCHED


def mail_settings(
    request: contract.UpdateMailSettings, *, actor: str, deps: Dependencies
) -> contract.MailSettings:
    """Change the named settings, and return all of the actor's settings.

    Raises:
        Refused: ``project.missing`` without access to the project, ``portal.closed``
            without one to the portal, ``request.malformed`` for an unknown mode.
    """
    _check_access(request.project, actor, deps)
    project = request.project or ""
    drops_mode = request.mode == contract.DEFAULT_MODE and bool(project)
    mode = None if request.mode is None or drops_mode else _parse_mode(request.mode)
    with deps.database.writing() as session:
        if drops_mode:
            drop_mode(session, person=actor, project=project)
        elif mode is not None:
            set_mode(session, person=actor, project=project, mode=mode, at=deps.clock())
        if request.content is not None:
            set_content(session, actor, content=request.content, at=deps.clock())
    return _settings_of(actor, deps)


def _check_access(project: str | None, actor: str, deps: Dependencies) -> None:
    facts = deps.facts_for(actor, *(() if project is None else (project,)))
    reader = person_in(facts, actor)
    has_access = reader is not None and has_portal_access(reader)
    if project is None:
        if not has_access:
            raise Refused("portal.closed")
        return
    if reader is None or not has_access:
        raise Refused("project.missing")
    found = project_in(facts, project)
    if found is None:
        raise Refused("project.missing")
    if not may_read(reader, Channel(ProjectId(project)), to_project(found)):
        raise Refused("project.missing")


def _parse_mode(value: str) -> MailMode:
    try:
        return MailMode(value)
    except ValueError:
        raise Refused.because(
            "request.malformed", fields={"mode": [f"one of {', '.join(MailMode)}"]}
        ) from None


def _settings_of(person: str, deps: Dependencies) -> contract.MailSettings:
    with deps.database.reading() as session:
        rows = session.execute(
            select(MailSetting.project, MailSetting.mode)
            .where(MailSetting.person == person)
            .order_by(MailSetting.project)
        )
        modes = {row.project: row.mode for row in rows}
        hidden = people_without_content(session, [person])
    return contract.MailSettings(
        default=modes.pop("", DEFAULT.value),
        projects=tuple(
            contract.ProjectMailMode(project=project, mode=mode)
            for project, mode in modes.items()
        ),
        content=person not in hidden,
    )
