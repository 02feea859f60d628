"""Following projects (rule 8)."""

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from clp_chassis.persistence.bulk_sql import insert_if_absent
from clp_contracts import events
from clp_contracts.errors import Refused
from clp_contracts.projects import FollowedProject, Following, MyProjects, OneProject
from clp_core.channels import Channel, Project, ProjectId, is_id
from clp_core.people import PartnerId, Person
from clp_core.visibility import may_read
from clp_projects import mapping
from clp_projects.dependencies import Parts
from clp_projects.read_leases import outlast
from clp_projects.tables import OUTBOX, AssignmentRow, Base, FollowerRow, ProjectRow


def follow(ask: OneProject, *, actor: str, parts: Parts) -> Following:
    """Follow a project whose broadcast the actor may read."""
    at = parts.clock()
    with parts.database.writing() as session:
        if not _may_follow(session, actor, ask.project):
            raise Refused("project.missing")
        followed = insert_if_absent(
            session,
            Base.metadata.tables["followers"],
            {"project": ask.project, "person": actor, "followed_at": at},
        )
        if followed:
            OUTBOX.append(
                session,
                (events.PROJECT_FOLLOWED, actor, ask.project),
                at=at,
                detail={"person": actor},
            )
    return Following(project=ask.project, following=True)


def unfollow(ask: OneProject, *, actor: str, parts: Parts) -> Following:
    """Stop following, which somebody who lost access may do as well.

    No mail about the project leaves once this is answered, unless it mentions them.
    """
    with parts.database.writing() as session:
        if not _stop_following(session, actor, ask.project):
            if not _may_follow(session, actor, ask.project):
                raise Refused("project.missing")
        else:
            OUTBOX.append(
                session,
                (events.PROJECT_UNFOLLOWED, actor, ask.project),
                at=parts.clock(),
                detail={"person": actor},
            )
    outlast(parts=parts)
    return Following(project=ask.project, following=False)


def my_projects(*, actor: str, parts: Parts) -> MyProjects:
    """The projects that the actor follows and may read now, by title."""
    with parts.database.reading() as session:
        person = mapping.person(session, actor)
        if person is None:
            return MyProjects(projects=())
        own = _projects_of_own_partner(session, person)
        followed = session.execute(
            select(ProjectRow.id, ProjectRow.title)
            .join(FollowerRow, FollowerRow.project == ProjectRow.id)
            .where(FollowerRow.person == person.id)
        ).all()
    readable = (
        FollowedProject(id=row.id, title=row.title)
        for row in followed
        if _may_read_broadcast(person, _seen_by(person, row.id, own))
    )
    by_title = sorted(readable, key=lambda found: (found.title.casefold(), found.id))
    return MyProjects(projects=tuple(by_title))


def _may_follow(session: Session, actor: str, project: str) -> bool:
    person = mapping.person(session, actor)
    found = mapping.project(session, project)
    if person is None or found is None:
        return False
    return _may_read_broadcast(person, found)


def _may_read_broadcast(person: Person, project: Project) -> bool:
    return bool(may_read(person, Channel(project.id), project))


def _stop_following(session: Session, actor: str, project: str) -> bool:
    if not (is_id(actor) and is_id(project)):
        return False
    stopped = session.execute(
        delete(FollowerRow)
        .where(FollowerRow.project == project, FollowerRow.person == actor)
        .returning(FollowerRow.person)
    ).all()
    return bool(stopped)


def _projects_of_own_partner(session: Session, person: Person) -> frozenset[str]:
    # Whether one reads a broadcast depends on no other partner (rule 6).
    asked = (
        select(AssignmentRow.project)
        .join(FollowerRow, FollowerRow.project == AssignmentRow.project)
        .where(
            FollowerRow.person == person.id,
            AssignmentRow.partner == person.partner,
            AssignmentRow.withdrawn_at.is_(None),
        )
    )
    return frozenset(session.scalars(asked))


def _seen_by(person: Person, project: str, own: frozenset[str]) -> Project:
    partner = person.partner
    assigned: frozenset[PartnerId] = frozenset()
    if partner is not None and project in own:
        assigned = frozenset({partner})
    return Project(id=ProjectId(project), assigned=assigned)
