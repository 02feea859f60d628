"""When a person wants mails, told by them or by the link in a mail."""

from sqlalchemy import select

from clp_contracts import notifications as contract
from clp_contracts.errors import Refused
from clp_core.channels import Channel, ProjectId
from clp_core.people import has_portal_access
from clp_core.visibility import may_read
from clp_notifications.dependencies import Parts
from clp_notifications.mapping import person_in, project_in, project_of
from clp_notifications.states import MailMode
from clp_notifications.tables import MailSetting
from clp_notifications.transitions import people_without_content, set_content, set_mode

DEFAULT = MailMode.BATCHED


def mail_settings(
    ask: contract.AskMailSettings, *, actor: str, parts: Parts
) -> contract.MailSettings:
    """Change what is named, and tell all of the actor's settings.

    Raises:
        Refused: ``project.missing`` to whom the project, or the portal, is closed;
            ``ask.malformed`` for a mode that does not exist.
    """
    _check_access(ask.project, actor, parts)
    mode = None if ask.mode is None else _mode(ask.mode)
    with parts.database.writing() as session:
        if mode is not None:
            set_mode(session, (actor, ask.project or ""), mode, at=parts.clock())
        if ask.content is not None:
            set_content(session, actor, content=ask.content, at=parts.clock())
    return _settings_of(actor, parts)


def _check_access(project: str | None, actor: str, parts: Parts) -> None:
    wanted = () if project is None else (project,)
    facts = parts.callers.projects.facts(projects_=wanted, people=(actor,))
    reader = person_in(facts, actor)
    if reader is None or not has_portal_access(reader):
        raise Refused("project.missing")
    if project is None:
        return
    found = project_in(facts, project)
    if found is None:
        raise Refused("project.missing")
    if not may_read(reader, Channel(ProjectId(project)), project_of(found)):
        raise Refused("project.missing")


def _mode(given: str) -> MailMode:
    try:
        return MailMode(given)
    except ValueError:
        raise Refused.because(
            "ask.malformed", fields={"mode": [f"one of {', '.join(MailMode)}"]}
        ) from None


def _settings_of(person: str, parts: Parts) -> contract.MailSettings:
    with parts.database.reading() as session:
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


def stop_mails(token: str, *, parts: Parts) -> bool:
    """Stop the mails that a link of ours is about (H7); false when it is not ours."""
    sealed = parts.seals.read_stop_token(token)
    if sealed is None:
        return False
    with parts.database.writing() as session:
        set_mode(session, sealed, MailMode.OFF, at=parts.clock())
    return True
