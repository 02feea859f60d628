"""Previews of a draft, and outcomes of its mentions (rules 19 and 47)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from clp_contracts.messages import Mention
from clp_contracts.notifications import AudienceGroup, Preview
from clp_portal.translation import N_, Locale

SENTENCES: Final = {
    "mentioned": N_("%(name)s will be told."),
    "unknown": N_("%(name)s: nobody of that name reads this channel."),
    "ambiguous": N_("%(name)s: several people have this name. Use the address:"),
    "self": N_("%(name)s: that is you."),
    "duplicate": N_("%(name)s: mentioned already."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The outcome of one handle, with the addresses to use when it is ambiguous."""

    kind: str
    sentence: str
    candidates: tuple[str, ...] = ()


def outcomes(mentions: Iterable[Mention], locale: Locale) -> tuple[Outcome, ...]:
    """Say what became of each handle of a text."""
    return tuple(
        Outcome(
            kind=mention.outcome,
            sentence=locale.gettext(SENTENCES[mention.outcome])
            % {"name": mention.handle.lstrip("@＠")},
            candidates=tuple(
                f"{candidate.name} <{candidate.email}>"
                for candidate in mention.candidates
            ),
        )
        for mention in mentions
        if mention.outcome in SENTENCES
    )


def preview_sentence(preview: Preview, locale: Locale) -> str:
    """Say whom a draft will reach, before it is sent."""
    reached = [
        *(person.name for person in preview.people),
        *(_group(group, locale) for group in preview.groups),
    ]
    if not reached:
        return locale.gettext("Will tell nobody: no follower reads this.")
    sentence = locale.gettext("Will tell %(people)s.")
    return sentence % {"people": locale.joined(reached)}


def _group(group: AudienceGroup, locale: Locale) -> str:
    if group.count is None:
        return locale.gettext("the followers of the studio")
    if group.partner is None:
        return locale.ngettext(
            "%(num)s follower of the studio",
            "%(num)s followers of the studio",
            group.count,
        )
    text = locale.ngettext(
        "%(num)s follower of %(group)s", "%(num)s followers of %(group)s", group.count
    )
    return text.replace("%(group)s", group.name)
