"""Mentions: lookup keys of a text, then outcomes of its handles (rules 14 to 21).

Two steps, so that the work does not grow with the directory: fetch the owners of
`lookup_keys_in`, then call `resolve_mentions` with them.

>>> from clp_core.channels import Channel, Project, ProjectId
>>> from clp_core.people import Person, PersonId
>>> roles = frozenset({"dub_portal_user"})
>>> ivy, ian = (
...     Person(id=PersonId(id), name=name, email=f"{id}@studio.example", roles=roles)
...     for id, name in [("ivy", "Ivy Lane"), ("ian", "Ian Moss")]
... )
>>> project = Project(id=ProjectId("p1"))
>>> text = "@Ian Moss, the reel is in"
>>> "ian moss" in lookup_keys_in(text)
True
>>> post = {"author": ivy, "channel": Channel(project.id), "project": project}
>>> found = resolve_mentions(text, **post, owners=[ivy, ian])
>>> [(o.handle, o.outcome) for o in found.outcomes]
[('Ian Moss', Outcome.MENTIONED)]
>>> found.people == {ian}
True
"""

from clp_core.mentions.autocomplete import (
    MatchField,
    PrefixEntry,
    matches_prefix,
    prefix_entries,
    prefix_rank,
    search_key,
    typed_key,
)
from clp_core.mentions.lookup_keys import address_key, name_key
from clp_core.mentions.marks import StoredMark, visible_marks
from clp_core.mentions.parser import has_sign, lookup_keys_in
from clp_core.mentions.policy import PUBLISHED_MENTIONS, MentionPolicy
from clp_core.mentions.resolution import (
    MentionOutcome,
    Mentions,
    Outcome,
    mentionable_people,
    resolve_mentions,
)
from clp_core.mentions.spans import Span

__all__ = [
    "PUBLISHED_MENTIONS",
    "MatchField",
    "MentionOutcome",
    "MentionPolicy",
    "Mentions",
    "Outcome",
    "PrefixEntry",
    "Span",
    "StoredMark",
    "address_key",
    "has_sign",
    "lookup_keys_in",
    "matches_prefix",
    "mentionable_people",
    "name_key",
    "prefix_entries",
    "prefix_rank",
    "resolve_mentions",
    "search_key",
    "typed_key",
    "visible_marks",
]
