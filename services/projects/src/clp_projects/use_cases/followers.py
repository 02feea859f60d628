"""Follow and unfollow projects (rule 8)."""

from sqlalchemy import delete
from sqlalchemy.orm import Session

from clp_chassis.persistence.bulk_sql import insert_if_absent
from clp_contracts import events
from clp_contracts.errors import Refused
from clp_contracts.projects import Following, ProjectRef
from clp_core.channels import Channel, Project, is_id
from clp_core.people import Person
from clp_core.visibility import may_read
from clp_projects import mapping
from clp_projects.dependencies import Dependencies
from clp_projects.read_leases import leases_of_follow, wait_for_leases
from clp_projects.tables import OUTBOX, Base, FollowerRow


def follow(request: ProjectRef, *, actor: str, deps: Dependencies) -> Following:
    """Follow a project; the actor must be able to read its broadcast."""
    at = deps.clock()
    with deps.database.writing() as session:
        if not _may_follow(session, actor, request.project):
            raise Refused("project.missing")
        followed = insert_if_absent(
            session,
            Base.metadata.tables["followers"],
            {"project": request.project, "person": actor, "followed_at": at},
        )
        if followed:
            OUTBOX.append(
                session,
                event_type=events.PROJECT_FOLLOWED,
                subject=actor,
                project=request.project,
                at=at,
                detail={"person": actor},
            )
    return Following(project=request.project, following=True)


def unfollow(request: ProjectRef, *, actor: str, deps: Dependencies) -> Following:
    """Unfollow a project; people without access may do so too.

    After the response no mail about the project leaves, except for mentions.
    """
    with deps.database.writing() as session:
        if not _stop_following(session, actor, request.project):
            if not _may_follow(session, actor, request.project):
                raise Refused("project.missing")
        else:
            OUTBOX.append(
                session,
                event_type=events.PROJECT_UNFOLLOWED,
                subject=actor,
                project=request.project,
                at=deps.clock(),
                detail={"person": actor},
            )
    wait_for_leases(leases_of_follow(actor, request.project), deps=deps)
    return Following(project=request.project, following=False)


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
