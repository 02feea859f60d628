"""Mentions: a text gives keys, the owners of the keys give outcomes (rules 14 to 21).

Two steps, so that the work does not grow with the directory: ask it for the owners of
`keys_worth_looking_up` and of nothing else, then let `outcomes_in` judge.

>>> from clp_core.channels import Channel, Project, ProjectId
>>> from clp_core.people import Person, PersonId
>>> roles = frozenset({"dub_portal_user"})
>>> ivy, ian = (
...     Person(id=PersonId(id), name=name, email=f"{id}@studio.example", roles=roles)
...     for id, name in [("ivy", "Ivy Lane"), ("ian", "Ian Moss")]
... )
>>> project = Project(id=ProjectId("p1"))
>>> text = "@Ian Moss, the reel is in"
>>> "ian moss" in keys_worth_looking_up(text)
True
>>> post = {"author": ivy, "channel": Channel(project.id), "project": project}
>>> found = outcomes_in(text, **post, owners=[ivy, ian])
>>> [(o.handle, o.outcome) for o in found.outcomes]
[('Ian Moss', Outcome.MENTIONED)]
>>> found.people == {ian}
True
"""

from clp_core.mentions.autocomplete import (
    Beginning,
    Place,
    beginnings_of,
    matches_prefix,
    prefix_rank,
    typing_key,
)
from clp_core.mentions.lookup_keys import address_key, name_key
from clp_core.mentions.parser import has_sign, keys_worth_looking_up
from clp_core.mentions.policy import PUBLISHED_MENTIONS, MentionPolicy
from clp_core.mentions.resolution import (
    MentionOutcome,
    Mentions,
    Outcome,
    candidates_for,
    outcomes_in,
)
from clp_core.mentions.spans import Span

__all__ = [
    "PUBLISHED_MENTIONS",
    "Beginning",
    "MentionOutcome",
    "MentionPolicy",
    "Mentions",
    "Outcome",
    "Place",
    "Span",
    "address_key",
    "beginnings_of",
    "candidates_for",
    "has_sign",
    "keys_worth_looking_up",
    "matches_prefix",
    "name_key",
    "outcomes_in",
    "prefix_rank",
    "typing_key",
]
