"""The people and the project of the README, the demo and the tests."""

from collections.abc import Iterable

from clp_core.channels import Channel, Project, ProjectId
from clp_core.people import Author, PartnerId, Person, PersonId
from clp_core.routing import Occasion, RoutingFacts

PORTAL = frozenset({"dub_portal_user"})
NORTH, SOUTH = PartnerId("north"), PartnerId("south")
EAST = PartnerId("east")  # worked on the project once


def person(id: str, name: str, partner: PartnerId | None = None) -> Person:
    return Person(
        id=PersonId(id),
        name=name,
        email=f"{id}@{partner or 'studio'}.example",
        partner=partner,
        roles=PORTAL,
    )


IVY = person("ivy", "Ivy Lane")
IAN = person("ian", "Ian Moss")
NAT = person("nat", "Nat Moreau", NORTH)
NIA = person("nia", "Nia Roux", NORTH)
SAM = person("sam", "Sam Duarte", SOUTH)
SOL = person("sol", "Sol Reyes", SOUTH)
EVA = person("eva", "Eva Stone", EAST)
# A linguist has the portal role too, and is refused all the same (rule 1).
LIN = Person(
    id=PersonId("lin"),
    name="Lin Okafor",
    email="lin@studio.example",
    roles=PORTAL | {"dialogue_list_author"},
)
EVERYBODY = (IVY, IAN, NAT, NIA, SAM, SOL, EVA, LIN)

P1 = Project(
    id=ProjectId("p1"),
    assigned=frozenset({NORTH, SOUTH}),
    withdrawn=frozenset({EAST}),
)
BROADCAST = Channel(P1.id)
WITH_NORTH = Channel(P1.id, NORTH)
WITH_SOUTH = Channel(P1.id, SOUTH)
WITH_EAST = Channel(P1.id, EAST)
WITH_NOBODY = Channel(P1.id, PartnerId("west"))
ELSEWHERE = Channel(ProjectId("p2"))


def facts(
    author: Author,
    channel: Channel,
    mentioned: Iterable[Person] = (),
    *,
    followers: Iterable[Person] = EVERYBODY,
    occasion: Occasion = Occasion.POSTED,
) -> RoutingFacts:
    """The facts of a message in a project that everybody follows by default."""
    return RoutingFacts(
        author=author,
        channel=channel,
        project=P1,
        followers=frozenset(followers),
        mentioned=frozenset(mentioned),
        occasion=occasion,
    )
