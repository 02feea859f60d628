"""The people and partners of the story that tests, demo and README share."""

from dataclasses import dataclass
from typing import Final

from clp_contracts.client import Callers

PORTAL: Final = "dub_portal_user"
LINGUIST: Final = "dialogue_list_author"


@dataclass(frozen=True, slots=True)
class Part:
    """One person of the cast."""

    id: str
    name: str
    partner: str | None = None
    roles: tuple[str, ...] = (PORTAL,)

    @property
    def email(self) -> str:
        """The person's address."""
        return f"{self.id}@{self.partner or 'studio'}.example"


PARTNERS: Final = {
    "north": "North Dubbing",
    "south": "South Subtitles",
    "west": "West Voices",
}

CAST: Final = (
    Part("ivy", "Ivy Lane"),
    Part("ian", "Ian Moss"),
    Part("lin", "Lin Okafor", roles=(PORTAL, LINGUIST)),
    Part("nat", "Nat Moreau", "north"),
    Part("nia", "Nia Roux", "north"),
    Part("sam", "Sam Duarte", "south"),
    Part("sol", "Sol Reyes", "south"),
    Part("wes", "Wes Tanner", "west"),
)


def put_cast(directory: Callers, cast: tuple[Part, ...] = CAST) -> None:
    """Tell `projects` who is who."""
    for partner, name in PARTNERS.items():
        directory.projects.put_partner(id=partner, name=name)
    for part in cast:
        directory.projects.put_person(
            id=part.id,
            name=part.name,
            email=part.email,
            partner=part.partner,
            roles=part.roles,
        )
