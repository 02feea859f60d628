"""The rules of reading, posting and being told, written a second time.

Nothing of ``clp_core`` is imported here. Words stand for everything: a wrong table there
and a wrong table here would have to be wrong in the same way to go unseen.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

# Section 2: who | broadcast | direct of own partner | direct of another partner.
# Own and other are partners whose channel exists, assigned now or withdrawn.
SECTION_2: Final = """
    internal                        read post   read post   read post
    external, partner assigned      read        read post   nothing
    external, partner not assigned  nothing     nothing     nothing
    robot                           post        nothing     nothing
    without access                  nothing     nothing     nothing
"""
COLUMNS: Final = ("broadcast", "own", "other")

# Section 6: R1 to R3. Author's side | channel | who among the followers | trigger.
SECTION_6: Final = """
    internal  broadcast  external  new_broadcast
    robot     broadcast  external  new_broadcast
    external  direct     internal  direct_from_partner
    internal  direct     external  direct_to_partner
"""

EMPLOYERS: Final = ("studio", "north", "south", "east", "west")
ASSIGNED: Final = ("north", "south")
WITHDRAWN: Final = ("east",)  # and west was never on the project
CHANNELS: Final = ("broadcast", "north", "south", "east", "west", "elsewhere")
# Rule 1. Only the first of these opens the portal.
ACCESS: Final = (
    "has access", "has no role", "is a linguist", "proofreads", "has left", "left linguistics",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Somebody:
    """A person or the robot, as named by a row of the enumeration."""

    employer: str  # "studio", "robot" or a partner
    access: str = "has access"

    @property
    def side(self) -> str:
        return {"studio": "internal", "robot": "robot"}.get(self.employer, "external")

    @property
    def row(self) -> str:
        if self.employer == "robot":
            return "robot"
        if self.access != "has access":
            return "without access"
        if self.employer == "studio":
            return "internal"
        assigned = "assigned" if self.employer in ASSIGNED else "not assigned"
        return f"external, partner {assigned}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """One person, one message, and everything that could matter between them."""

    author: Somebody
    channel: str
    person: Somebody
    own: str  # "is the author" or "is not"
    follows: str  # "follows" or "does not"
    mentions: str  # "nobody", "the person", "another" or "both"
    policy: str  # "replaces" or "adds"
    occasion: str  # "posted" or "edited"


@cache
def allowed(somebody: Somebody, channel: str) -> str:
    """The words of section 2 for somebody in a channel."""
    if channel in ("west", "elsewhere"):
        return "nothing"  # no such channel: west was never assigned
    column = channel
    if channel != "broadcast":
        column = "own" if channel == somebody.employer else "other"
    for line in SECTION_2.strip().splitlines():
        who, *words = [
            cell.strip() for cell in line.strip().split("  ") if cell.strip()
        ]
        if who == somebody.row:
            return words[COLUMNS.index(column)]
    raise LookupError(somebody)


def expected_trigger(case: Telling) -> str:
    """The trigger that tells the person of the message, or ``nothing``."""
    # Rule 23, and rule 2 through the table of section 2.
    if case.own == "is the author" or "read" not in allowed(case.person, case.channel):
        return "nothing"
    # Rule 3: mentions in the robot's text are plain text.
    mentions = "nobody" if case.author.employer == "robot" else case.mentions
    # R4.
    if mentions in ("the person", "both"):
        return "mention"
    # Rule 13: an edit tells the newly mentioned.
    if case.occasion == "edited":
        return "nothing"
    # Rule 22.
    if mentions == "another" and case.policy == "replaces":
        return "nothing"
    # R1 to R3.
    kind = "broadcast" if case.channel == "broadcast" else "direct"
    for line in SECTION_6.strip().splitlines():
        author, channel, audience, trigger = line.split()
        if (author, channel, audience) == (case.author.side, kind, case.person.side):
            return trigger if case.follows == "follows" else "nothing"
    return "nothing"
