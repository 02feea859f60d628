"""Projects and the channels derived from them (rules of section 2)."""

import re
from dataclasses import dataclass
from typing import Final, NewType, Self

from clp_core.decisions import Code, InvalidValue
from clp_core.people import PartnerId

ProjectId = NewType("ProjectId", str)

ID_PATTERN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)


def is_id(value: str) -> bool:
    """Whether a value is a valid id of a project, partner or person.

    1 to 64 ASCII letters, digits, dots, underscores and hyphens, the first a letter or
    a digit: so an id is a part of a channel's name, a path and a header as it stands.

    >>> is_id("night-train.s02"), is_id("night train")
    (True, False)
    """
    return ID_PATTERN.fullmatch(value) is not None


class ChannelKind(Code):
    """A channel for all partners, or one shared with one partner (section 2)."""

    BROADCAST = "broadcast"
    DIRECT = "direct"


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A project, with its present and its withdrawn partners (section 2, rule 7).

    `assigned` decides where an id is in both.
    """

    id: ProjectId
    assigned: frozenset[PartnerId] = frozenset()
    withdrawn: frozenset[PartnerId] = frozenset()


@dataclass(frozen=True, slots=True, order=True)
class Channel:
    """One stream of messages (section 2); a direct channel names its partner.

    >>> Channel("p1").name, Channel("p1", "north").name
    ('p1/broadcast', 'p1/direct/north')
    """

    project: ProjectId
    partner: PartnerId | None = None

    @property
    def kind(self) -> ChannelKind:
        """Direct with a partner, broadcast without."""
        return ChannelKind.BROADCAST if self.partner is None else ChannelKind.DIRECT

    @property
    def name(self) -> str:
        """``PROJECT/broadcast`` or ``PROJECT/direct/PARTNER``."""
        if self.partner is None:
            return f"{self.project}/broadcast"
        return f"{self.project}/direct/{self.partner}"

    @classmethod
    def named(cls, name: str) -> Self:
        """Read a channel name: ``PROJECT/broadcast`` or ``PROJECT/direct/PARTNER``.

        >>> Channel.named("p1/direct/north").kind
        ChannelKind.DIRECT

        Raises:
            InvalidValue: if the name is malformed.
        """
        match name.split("/"):
            case [project, "broadcast"] if is_id(project):
                return cls(ProjectId(project))
            case [project, "direct", partner] if is_id(project) and is_id(partner):
                return cls(ProjectId(project), PartnerId(partner))
            case _:
                raise InvalidValue("no channel has this name")
