"""Calls to `projects`: people, partners, projects, followers, announcements."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from clp_contracts.feed import changes_of, progress_of
from clp_contracts.methods import PEOPLE, SERVICES, Method
from clp_contracts.serialization import Nothing

SERVICE: Final = "projects"
# No answer holds longer: so long may the end of an access wait to be confirmed.
LONGEST_GOOD_S: Final = 5.0

# What can be announced, and the facts without which it cannot be told. Dates are ISO.
ANNOUNCEMENT_FACTS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "launch_date_moved": ("launch_date",),
        "audio_available": ("language",),
        "bid_due": ("due",),
        "qc_status_changed": ("status",),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PutPerson:
    """Store a person as the identity system knows them; the whole record each time.

    ``language`` (BCP 47) and ``time_zone`` (such as ``Europe/Paris``) are those of the
    mails to them; without one the deployment's is used.
    """

    id: str
    name: str
    email: str
    partner: str | None = None
    roles: tuple[str, ...] = ()
    active: bool = True
    language: str | None = None
    time_zone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PutPartner:
    """Store a partner."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PutProject:
    """Store a project."""

    id: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What was stored, and whether that changed anything."""

    id: str
    changed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignPartner:
    """Put a partner on a project for some languages (BCP 47)."""

    project: str
    partner: str
    languages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawPartner:
    """Take a partner off a project; its history stays for internal people (rule 7)."""

    project: str
    partner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OneProject:
    """Name a project."""

    project: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Following:
    """Whether the actor follows the project now."""

    project: str
    following: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowedProject:
    """A project the actor follows and may read."""

    id: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MyProjects:
    """The actor's followed projects, by title."""

    projects: tuple[FollowedProject, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Announce:
    """A fact about the schedule that the robot tells the project once (rule 37).

    ``kind`` and the ``facts`` it needs are those of `ANNOUNCEMENT_FACTS`; others may
    be added, as short texts.
    """

    project: str
    kind: str
    key: str
    facts: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """The announcement; the robot's message follows."""

    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Follow:
    """A person follows a project."""

    person: str
    project: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AskFacts:
    """Name the projects and people whose facts are wanted.

    ``following`` names a project, to learn who of the people follows it; ``follows``
    asks which of several follows hold. ``good_for_s`` asks for an answer that holds for
    so many seconds from the moment of asking: access that ends meanwhile is confirmed
    only then.
    """

    projects: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    following: str | None = None
    follows: tuple[Follow, ...] = ()
    good_for_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonFacts:
    """A person, as rules need them."""

    id: str
    name: str
    email: str
    partner: str | None
    roles: tuple[str, ...]
    active: bool
    language: str | None = None
    time_zone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerName:
    """A partner as it is shown."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectFacts:
    """A project, its partners now and before."""

    id: str
    title: str
    assigned: tuple[str, ...]
    withdrawn: tuple[str, ...]
    partners: tuple[PartnerName, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The facts asked for; what does not exist is absent.

    ``good_for_s`` is for how long they hold, `LONGEST_GOOD_S` at most.
    """

    projects: tuple[ProjectFacts, ...]
    people: tuple[PersonFacts, ...]
    followers: tuple[str, ...] = ()
    follows: tuple[Follow, ...] = ()
    good_for_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Some people."""

    people: tuple[PersonFacts, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AskOwners:
    """Name and address keys found in a text."""

    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AskPeopleLike:
    """Begin a word of a name, or an address.

    Only internal people and those of ``partner`` are looked at; ``everybody`` widens
    that to every partner of the project.
    """

    typed: str
    project: str
    partner: str | None = None
    everybody: bool = False
    limit: int = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class AskAnnouncement:
    """Name an announcement."""

    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """An announcement with its facts."""

    id: str
    project: str
    kind: str
    facts: dict[str, str]


PUT_PERSON: Final = Method(SERVICE, "put_person", PutPerson, Stored, SERVICES)
PUT_PARTNER: Final = Method(SERVICE, "put_partner", PutPartner, Stored, SERVICES)
PUT_PROJECT: Final = Method(SERVICE, "put_project", PutProject, Stored, SERVICES)
ASSIGN: Final = Method(SERVICE, "assign_partner", AssignPartner, Stored, SERVICES)
WITHDRAW: Final = Method(SERVICE, "withdraw_partner", WithdrawPartner, Stored, SERVICES)
FOLLOW: Final = Method(SERVICE, "follow", OneProject, Following, PEOPLE)
UNFOLLOW: Final = Method(SERVICE, "unfollow", OneProject, Following, PEOPLE)
MY_PROJECTS: Final = Method(SERVICE, "my_projects", Nothing, MyProjects, PEOPLE)
ANNOUNCE: Final = Method(SERVICE, "announce", Announce, Announced, SERVICES)
FACTS: Final = Method(SERVICE, "facts", AskFacts, Facts, SERVICES)
FOLLOWERS: Final = Method(SERVICE, "followers", OneProject, People, SERVICES)
OWNERS: Final = Method(SERVICE, "owners", AskOwners, People, SERVICES)
PEOPLE_LIKE: Final = Method(SERVICE, "people_like", AskPeopleLike, People, SERVICES)
ANNOUNCEMENT: Final = Method(
    SERVICE, "announcement", AskAnnouncement, Announcement, SERVICES
)
CHANGES: Final = changes_of(SERVICE)
PROGRESS: Final = progress_of(SERVICE)
