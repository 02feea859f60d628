"""Facts about people and projects, for the services that apply the rules."""

from sqlalchemy.orm import Session

from clp_contracts.feed import Changes, Progress, ReadChanges
from clp_contracts.projects import (
    AskFacts,
    AskOwners,
    Facts,
    Follow,
    OneProject,
    People,
)
from clp_core.channels import is_id
from clp_projects import mapping
from clp_projects.dependencies import Parts
from clp_projects.read_leases import promise
from clp_projects.tables import OUTBOX
from clp_projects.text_validation import is_indexable


def facts_about(ask: AskFacts, *, parts: Parts) -> Facts:
    """The projects and people of these ids; what does not exist is absent.

    Where the asker wants the answer to hold for a while, whoever ends somebody's access
    meanwhile waits for it (rule 23).
    """
    good_for_s = promise(ask.good_for_s, parts=parts)
    with parts.database.reading() as session:
        return Facts(
            projects=mapping.projects_by_id(session, ask.projects),
            people=mapping.people_by_id(session, ask.people),
            followers=_followers(session, ask),
            follows=_follows(session, ask),
            good_for_s=good_for_s,
        )


def _followers(session: Session, ask: AskFacts) -> tuple[str, ...]:
    if ask.following is None or not is_id(ask.following):
        return ()
    return mapping.followers_among(session, ask.following, ask.people)


def _follows(session: Session, ask: AskFacts) -> tuple[Follow, ...]:
    """Those of the follows asked about that hold, by project and person."""
    asked: dict[str, set[str]] = {}
    for follow in ask.follows:
        if is_id(follow.project):
            asked.setdefault(follow.project, set()).add(follow.person)
    return tuple(
        Follow(person=person, project=project)
        for project in sorted(asked)
        for person in mapping.followers_among(session, project, sorted(asked[project]))
    )


def followers(ask: OneProject, *, parts: Parts) -> People:
    """Everybody who follows a project; who may read is for the asker to judge."""
    if not is_id(ask.project):
        return People(people=())
    with parts.database.reading() as session:
        return People(people=mapping.followers_of(session, ask.project))


def owners(ask: AskOwners, *, parts: Parts) -> People:
    """Everybody whose name or address has one of these keys (rules 15, 21)."""
    keys = [key for key in ask.keys if is_indexable(key)]
    with parts.database.reading() as session:
        return People(people=mapping.people_by_key(session, keys))


def changes(ask: ReadChanges, *, parts: Parts) -> Changes:
    """The feed of this service after a position."""
    with parts.database.reading() as session:
        return OUTBOX.after(session, ask)


def progress(*, parts: Parts) -> Progress:
    """How far this service is; it reads no other's feed."""
    with parts.database.reading() as session:
        pending, head = OUTBOX.pending(session), OUTBOX.head(session)
    return Progress(head=head, pending=pending, due=0, readers=())
