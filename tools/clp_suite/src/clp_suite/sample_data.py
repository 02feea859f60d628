"""People and partners of the sample world that tests, demo and README share."""

from dataclasses import dataclass
from typing import Final

from clp_contracts.client import Clients

PORTAL: Final = "dub_portal_user"
LINGUIST: Final = "dialogue_list_author"


@dataclass(frozen=True, slots=True)
class CastMember:
    """One person of the sample world."""

    id: str
    name: str
    partner: str | None = None
    roles: tuple[str, ...] = (PORTAL,)

    @property
    def email(self) -> str:
        """The person's mail address."""
        return f"{self.id}@{self.partner or 'studio'}.example"


PARTNERS: Final = {
    "north": "North Dubbing",
    "south": "South Subtitles",
    "west": "West Voices",
}

CAST: Final = (
    CastMember("ivy", "Ivy Lane"),
    CastMember("ian", "Ian Moss"),
    CastMember("lin", "Lin Okafor", roles=(PORTAL, LINGUIST)),
    CastMember("nat", "Nat Moreau", "north"),
    CastMember("nia", "Nia Roux", "north"),
    CastMember("sam", "Sam Duarte", "south"),
    CastMember("sol", "Sol Reyes", "south"),
    CastMember("wes", "Wes Tanner", "west"),
)


def put_cast(directory: Clients, cast: tuple[CastMember, ...] = CAST) -> None:
    """Store partners and people in ``projects``."""
    for partner, name in PARTNERS.items():
        directory.projects.put_partner(id=partner, name=name)
    for member in cast:
        directory.projects.put_person(
            id=member.id,
            name=member.name,
            email=member.email,
            partner=member.partner,
            internal=member.partner is None,
            roles=member.roles,
        )
