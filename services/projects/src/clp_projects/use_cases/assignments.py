"""Storing projects, and who works on them."""

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from clp_contracts import events
from clp_contracts.errors import Refused
from clp_contracts.projects import AssignPartner, PutProject, Stored, WithdrawPartner
from clp_core.channels import is_id
from clp_projects.dependencies import Parts
from clp_projects.locales import language_tag
from clp_projects.read_leases import outlast
from clp_projects.tables import OUTBOX, AssignmentRow, Base, PartnerRow, ProjectRow
from clp_projects.text_validation import is_title
from clp_projects.upserts import store_row


def put_project(ask: PutProject, *, parts: Parts) -> Stored:
    """Store a project; its broadcast channel is there from then on."""
    if not is_id(ask.id):
        raise Refused.because("ask.malformed", fields={"id": ["not an id"]})
    if not is_title(ask.title):
        raise Refused("name.malformed")
    with parts.database.writing() as session:
        changed = store_row(
            session,
            Base.metadata.tables["projects"],
            key={"id": ask.id},
            values={"title": ask.title},
        )
        if changed:
            OUTBOX.append(
                session, (events.PROJECT_CHANGED, ask.id, ask.id), at=parts.clock()
            )
    return Stored(id=ask.id, changed=changed)


def assign_partner(ask: AssignPartner, *, parts: Parts) -> Stored:
    """Put a partner on a project; one that was withdrawn returns with its history."""
    languages = _languages_of(ask)
    at = parts.clock()
    with parts.database.writing() as session:
        _judge_pair(session, ask.project, ask.partner)
        changed = store_row(
            session,
            Base.metadata.tables["assignments"],
            key={"project": ask.project, "partner": ask.partner},
            values={"languages": languages, "withdrawn_at": None},
        )
        if changed:
            OUTBOX.append(
                session,
                (events.PARTNER_ASSIGNED, ask.partner, ask.project),
                at=at,
                detail={"partner": ask.partner},
            )
    return Stored(id=ask.partner, changed=changed)


def withdraw_partner(ask: WithdrawPartner, *, parts: Parts) -> Stored:
    """Take a partner off a project; from the commit on nobody of it reads (rule 7).

    Nobody remembers facts about a partner's people; the answer only waits for answers
    that were given to hold for a while.
    """
    at = parts.clock()
    with parts.database.writing() as session:
        _judge_pair(session, ask.project, ask.partner)
        withdrawn = session.execute(
            update(AssignmentRow)
            .where(
                AssignmentRow.project == ask.project,
                AssignmentRow.partner == ask.partner,
                AssignmentRow.withdrawn_at.is_(None),
            )
            .values(withdrawn_at=at)
            .returning(AssignmentRow.partner)
        ).all()
        if withdrawn:
            OUTBOX.append(
                session,
                (events.PARTNER_WITHDRAWN, ask.partner, ask.project),
                at=at,
                detail={"partner": ask.partner},
            )
    outlast(parts=parts)
    return Stored(id=ask.partner, changed=bool(withdrawn))


def _languages_of(ask: AssignPartner) -> list[str]:
    tags = [language_tag(language) for language in ask.languages]
    known = {tag for tag in tags if tag is not None}
    if None in tags:
        raise Refused("language.malformed")
    return sorted(known)


def _judge_pair(session: Session, project: str, partner: str) -> None:
    projects = select(ProjectRow.id).where(ProjectRow.id == project)
    if not is_id(project) or session.scalar(projects) is None:
        raise Refused("project.missing")
    partners = select(PartnerRow.id).where(PartnerRow.id == partner)
    if not is_id(partner) or session.scalar(partners) is None:
        raise Refused("partner.missing")
