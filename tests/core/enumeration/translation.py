"""From the words of the table to values of the core, and nothing more."""

from functools import cache

from clp_core.channels import Channel, Project, ProjectId
from clp_core.people import ROBOT, Author, PartnerId, Person, PersonId
from clp_core.routing import (
    MentionRouting,
    Occasion,
    RoutingFacts,
    RoutingPolicy,
)
from tests.core.enumeration.table import ASSIGNED, WITHDRAWN, Somebody, Telling

PROJECT = Project(
    id=ProjectId("p1"),
    assigned=frozenset(map(PartnerId, ASSIGNED)),
    withdrawn=frozenset(map(PartnerId, WITHDRAWN)),
)

ROLES = {
    "has access": {"dub_portal_user", "mixer"},
    "has no role": {"mixer"},
    "is a linguist": {"dub_portal_user", "dialogue_list_author"},
    "proofreads": {"dub_portal_user", "dialogue_list_proofreader"},
    "has left": {"dub_portal_user"},
    "left linguistics": {"dialogue_list_author"},
}
LEFT = {"has left", "left linguistics"}


def author_of(somebody: Somebody, id: str) -> Author:
    return ROBOT if somebody.employer == "robot" else person_of(somebody, id)


@cache
def person_of(somebody: Somebody, id: str) -> Person:
    return Person(
        id=PersonId(id),
        name=id.title(),
        email=f"{id}@{somebody.employer}.example",
        partner=None if somebody.employer == "studio" else PartnerId(somebody.employer),
        roles=frozenset(ROLES[somebody.access]),
        active=somebody.access not in LEFT,
    )


@cache
def channel_of(word: str) -> Channel:
    if word == "elsewhere":
        return Channel(ProjectId("p2"))
    return Channel(PROJECT.id, None if word == "broadcast" else PartnerId(word))


def facts_of(case: Telling) -> tuple[Person, RoutingFacts]:
    """The person whom the case is about, and the facts of the message."""
    author = author_of(case.author, "author")
    person = person_of(case.person, "person")
    if case.own == "is the author" and isinstance(author, Person):
        person = author
    another = person_of(Somebody(employer="studio"), "another")
    mentioned = {
        "nobody": set(),
        "the person": {person},
        "another": {another},
        "both": {person, another},
    }
    return person, RoutingFacts(
        author=author,
        channel=channel_of(case.channel),
        project=PROJECT,
        followers=frozenset({person} if case.follows == "follows" else ()),
        mentioned=frozenset(mentioned[case.mentions]),
        occasion=Occasion(case.occasion),
    )


def policy_of(case: Telling) -> RoutingPolicy:
    return RoutingPolicy(mention_routing=MentionRouting(case.policy))
