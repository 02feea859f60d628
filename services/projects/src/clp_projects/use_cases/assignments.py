"""Store projects, and assign partners to them."""

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from clp_contracts import events
from clp_contracts.errors import Refused
from clp_contracts.projects import AssignPartner, PutProject, Stored, WithdrawPartner
from clp_core.channels import is_id
from clp_projects.dependencies import Dependencies
from clp_projects.locales import language_tag
from clp_projects.read_leases import leases_of_partner, wait_for_leases
from clp_projects.tables import OUTBOX, AssignmentRow, Base, PartnerRow, ProjectRow
from clp_projects.text_validation import stored_title, title_key
from clp_projects.upserts import store_row


def put_project(request: PutProject, *, deps: Dependencies) -> Stored:
    """Store a project; its broadcast channel exists from then on."""
    if not is_id(request.id):
        raise Refused.because("request.malformed", fields={"id": ["not an id"]})
    title = stored_title(request.title)
    with deps.database.writing() as session:
        changed = store_row(
            session,
            Base.metadata.tables["projects"],
            key={"id": request.id},
            values={"title": title, "title_key": title_key(title)},
        )
        if changed:
            OUTBOX.append(
                session,
                event_type=events.PROJECT_CHANGED,
                subject=request.id,
                project=request.id,
                at=deps.clock(),
            )
    return Stored(id=request.id, changed=changed)


def assign_partner(request: AssignPartner, *, deps: Dependencies) -> Stored:
    """Assign a partner; one that was withdrawn returns with its history (rule 7)."""
    languages = _languages_of(request)
    at = deps.clock()
    with deps.database.writing() as session:
        _require_project_and_partner(session, request.project, request.partner)
        changed = store_row(
            session,
            Base.metadata.tables["assignments"],
            key={"project": request.project, "partner": request.partner},
            values={"languages": languages, "withdrawn_at": None},
        )
        if changed:
            OUTBOX.append(
                session,
                event_type=events.PARTNER_ASSIGNED,
                subject=request.partner,
                project=request.project,
                at=at,
                detail={"partner": request.partner},
            )
    return Stored(id=request.partner, changed=changed)


def withdraw_partner(request: WithdrawPartner, *, deps: Dependencies) -> Stored:
    """Withdraw a partner; from the response on none of its people reads (rule 7).

    Wait until the leases on the access of its people to the project have expired.
    """
    at = deps.clock()
    with deps.database.writing() as session:
        _require_project_and_partner(session, request.project, request.partner)
        withdrawn = session.execute(
            update(AssignmentRow)
            .where(
                AssignmentRow.project == request.project,
                AssignmentRow.partner == request.partner,
                AssignmentRow.withdrawn_at.is_(None),
            )
            .values(withdrawn_at=at)
            .returning(AssignmentRow.partner)
        ).all()
        if withdrawn:
            OUTBOX.append(
                session,
                event_type=events.PARTNER_WITHDRAWN,
                subject=request.partner,
                project=request.project,
                at=at,
                detail={"partner": request.partner},
            )
    leases = leases_of_partner(request.project, request.partner)
    wait_for_leases(leases, deps=deps)
    return Stored(id=request.partner, changed=bool(withdrawn))


def _languages_of(request: AssignPartner) -> list[str]:
    tags = [language_tag(language) for language in request.languages]
    valid = {tag for tag in tags if tag is not None}
    if None in tags:
        named = zip(request.languages, tags, strict=True)
        wrong = [language for language, tag in named if tag is None]
        raise Refused.because("language.malformed", languages=wrong)
    return sorted(valid)


def _require_project_and_partner(session: Session, project: str, partner: str) -> None:
    projects = select(ProjectRow.id).where(ProjectRow.id == project)
    if not is_id(project) or session.scalar(projects) is None:
        raise Refused("project.missing")
    partners = select(PartnerRow.id).where(PartnerRow.id == partner)
    if not is_id(partner) or session.scalar(partners) is None:
        raise Refused("partner.missing")
