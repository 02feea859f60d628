"""Contract of `projects`: people, partners, projects, followers, announcements."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from clp_contracts.feed import changes_of, progress_of
from clp_contracts.methods import PEOPLE, SERVICES, Method
from clp_contracts.serialization import Empty

SERVICE: Final = "projects"
# The longest read lease in seconds: withdrawing access waits at most this long.
MAX_LEASE_S: Final = 2.0

# Kinds of announcements and the facts each needs. Dates are ISO 8601.
ANNOUNCEMENT_FACTS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "launch_date_moved": ("launch_date",),
        "audio_available": (),
        "bid_due": ("due",),
        "qc_status_changed": ("status",),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PutPerson:
    """Store the whole record of a person, as the identity system holds it.

    A side is never a default (rule 4): name a ``partner``, or set ``internal``. To make
    a person of a partner internal, name that partner in ``moved_from`` too.

    ``language`` (BCP 47) and ``time_zone`` (IANA, such as ``Europe/Paris``) apply to
    mails to this person; None selects the default of the deployment.
    """

    id: str
    name: str
    email: str
    partner: str | None = None
    internal: bool = False
    moved_from: str | None = None
    roles: tuple[str, ...] = ()
    active: bool = True
    language: str | None = None
    time_zone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PutPeople:
    """Store the whole records of people, all of them or none."""

    people: tuple[PutPerson, ...]


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
    """The id of the stored record, and whether the call changed it."""

    id: str
    changed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleStored:
    """The stored people, in the order of the request."""

    people: tuple[Stored, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignPartner:
    """Assign a partner to a project for some languages (BCP 47)."""

    project: str
    partner: str
    languages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawPartner:
    """Withdraw a partner from a project; the history stays internal (rule 7)."""

    project: str
    partner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectRef:
    """Refer to a project by its id."""

    project: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Following:
    """Whether the actor follows the project now."""

    project: str
    following: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Me:
    """The actor's own record; ``access`` is whether the portal is open (rule 1)."""

    id: str
    name: str
    side: str
    partner: str | None
    partner_name: str | None
    access: bool
    language: str | None = None
    time_zone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectView:
    """A project as the actor may see it.

    ``languages`` are those of the actor's own partner, or of all assigned partners for
    internal people.
    """

    id: str
    title: str
    following: bool
    languages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FindProjects:
    """Find readable projects by words of their title or id (rule 44).

    Without words all are returned. ``cursor`` comes from the page before.
    """

    typed: str = ""
    cursor: str | None = None
    limit: int = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundProjects:
    """Readable projects by title; ``cursor`` is None on the last page."""

    projects: tuple[ProjectView, ...]
    cursor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MyProjects:
    """The actor's followed projects, by title, and the actor's own record."""

    projects: tuple[ProjectView, ...]
    me: Me | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Announce:
    """Announce a schedule fact, which the robot posts once (rule 37).

    ``kind`` and its required ``facts`` come from `ANNOUNCEMENT_FACTS`; more facts may
    be added as short texts. The idempotency ``key`` makes a replay harmless.
    """

    project: str
    kind: str
    key: str
    facts: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """The id of the announcement; the robot posts it asynchronously."""

    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Follow:
    """A person follows a project."""

    person: str
    project: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GetFacts:
    """Read facts about projects and people.

    ``follows`` checks single follows. With ``all_follows`` the response has every
    follow of the projects instead, their followers among its people, and no lease.
    ``lease_s`` requests a read lease in seconds, counted from the request: withdrawals
    of access are confirmed after it expired.

    With ``narrowed`` the projects show the partners of ``people`` only, unless one of
    them is internal: what is read for a partner does not grow with its rivals (rule 6).
    """

    project_ids: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    follows: tuple[Follow, ...] = ()
    lease_s: float = 0.0
    narrowed: bool = False
    all_follows: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonFacts:
    """The facts about a person that rules use."""

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
    """The display name of a partner."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectFacts:
    """A project with its assigned and withdrawn partners."""

    id: str
    title: str
    assigned: tuple[str, ...]
    withdrawn: tuple[str, ...]
    partners: tuple[PartnerName, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The requested facts; missing projects and people are left out.

    ``lease_s`` is the granted lease, at most `MAX_LEASE_S`.
    """

    projects: tuple[ProjectFacts, ...]
    people: tuple[PersonFacts, ...]
    follows: tuple[Follow, ...] = ()
    lease_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class GetRecords:
    """Read records by their ids; assignments by the project."""

    people: tuple[str, ...] = ()
    partners: tuple[str, ...] = ()
    project_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectTitle:
    """The title of a project."""

    id: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """A partner on a project, now or in the past."""

    project: str
    partner: str
    languages: tuple[str, ...]
    withdrawn: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """The records as they are stored; missing ones are left out."""

    people: tuple[PersonFacts, ...]
    partners: tuple[PartnerName, ...]
    projects: tuple[ProjectTitle, ...]
    assignments: tuple[Assignment, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GetFollowers:
    """Read the followers of a project.

    With a ``partner`` only internal people and those of the partner are read.
    """

    project: str
    partner: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """A list of people."""

    people: tuple[PersonFacts, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GetPeopleByHandle:
    """Look people up by name keys and mail address keys (rule 15).

    Only internal people and those of ``partner`` are searched, or with ``everybody``
    the people of every partner.
    """

    lookup_keys: tuple[str, ...]
    partner: str | None = None
    everybody: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SuggestPeople:
    """Complete a typed beginning of a name or mail address.

    Search internal people and those of ``partner``, or, with ``everybody``, those of
    every partner of the project.
    """

    typed: str
    project: str
    partner: str | None = None
    everybody: bool = False
    limit: int = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class GetAnnouncement:
    """Read an announcement by its id."""

    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """An announcement with its facts."""

    id: str
    project: str
    kind: str
    facts: dict[str, str]


PUT_PERSON: Final = Method(SERVICE, "put_person", PutPerson, Stored, SERVICES)
PUT_PEOPLE: Final = Method(SERVICE, "put_people", PutPeople, PeopleStored, SERVICES)
PUT_PARTNER: Final = Method(SERVICE, "put_partner", PutPartner, Stored, SERVICES)
PUT_PROJECT: Final = Method(SERVICE, "put_project", PutProject, Stored, SERVICES)
ASSIGN: Final = Method(SERVICE, "assign_partner", AssignPartner, Stored, SERVICES)
WITHDRAW: Final = Method(SERVICE, "withdraw_partner", WithdrawPartner, Stored, SERVICES)
FOLLOW: Final = Method(SERVICE, "follow", ProjectRef, Following, PEOPLE)
UNFOLLOW: Final = Method(SERVICE, "unfollow", ProjectRef, Following, PEOPLE)
ME: Final = Method(SERVICE, "me", Empty, Me, PEOPLE)
PROJECT: Final = Method(SERVICE, "project", ProjectRef, ProjectView, PEOPLE)
FIND_PROJECTS: Final = Method(
    SERVICE, "find_projects", FindProjects, FoundProjects, PEOPLE
)
MY_PROJECTS: Final = Method(SERVICE, "my_projects", Empty, MyProjects, PEOPLE)
ANNOUNCE: Final = Method(SERVICE, "announce", Announce, Announced, SERVICES)
FACTS: Final = Method(SERVICE, "facts", GetFacts, Facts, SERVICES)
RECORDS: Final = Method(SERVICE, "records", GetRecords, Records, SERVICES)
FOLLOWERS: Final = Method(SERVICE, "followers", GetFollowers, People, SERVICES)
PEOPLE_BY_HANDLE: Final = Method(
    SERVICE, "people_by_handle", GetPeopleByHandle, People, SERVICES
)
SUGGEST_PEOPLE: Final = Method(
    SERVICE, "suggest_people", SuggestPeople, People, SERVICES
)
ANNOUNCEMENT: Final = Method(
    SERVICE, "announcement", GetAnnouncement, Announcement, SERVICES
)
CHANGES: Final = changes_of(SERVICE)
PROGRESS: Final = progress_of(SERVICE)
