"""Requests and responses as the pages see them, without any framework.

`http` turns what arrives into a `Request`, finds the `Context` of the signed-in person,
calls the handler of the `Route`, and turns what it returns into bytes.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from clp_chassis.http import EventStream
from clp_contracts.errors import Refused
from clp_portal.translation import Locale

if TYPE_CHECKING:
    from clp_contracts.client import Clients
    from clp_contracts.projects import Me, MyProjects, ProjectView
    from clp_portal.auth.sessions import Session
    from clp_portal.dependencies import Dependencies

MAX_NUMBER: Final = 2**53


@dataclass(frozen=True, slots=True)
class Fields:
    """Named values of a query or a form; a name may come several times."""

    pairs: tuple[tuple[str, str], ...] = ()

    def get(self, name: str, default: str = "") -> str:
        """Return the first value of a name."""
        return next((value for key, value in self.pairs if key == name), default)

    def all(self, name: str) -> tuple[str, ...]:
        """Return every value of a name."""
        return tuple(value for key, value in self.pairs if key == name)

    def number(self, name: str) -> int | None:
        """Return a positive number; None when there is none or it is no number."""
        given = self.get(name)
        if not (given.isascii() and given.isdigit()):
            return None
        number = int(given[:20])
        return number if 0 < number <= MAX_NUMBER else None

    def __contains__(self, name: object) -> bool:
        return any(key == name for key, _ in self.pairs)


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadedFile:
    """A file of a form: its name, its length in bytes, and its bytes."""

    name: str
    size: int
    chunks: Callable[[], Iterator[bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One HTTP request; ``path_values`` are the parts named in the route's path."""

    method: str
    path: str
    # Path and query, for a link back.
    address: str = ""
    path_values: Mapping[str, Any] = field(default_factory=dict)
    query: Fields = field(default_factory=Fields)
    form: Fields = field(default_factory=Fields)
    files: tuple[UploadedFile, ...] = ()
    json: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    # The raw body, in chunks, where the route streams it.
    chunks: Callable[[], Iterator[bytes]] = field(default=lambda: iter(()))
    length: int | None = None

    @property
    def wants_json(self) -> bool:
        """Whether a script asks, which reads JSON and follows no redirect."""
        return "application/json" in self.headers.get("Accept", "")

    @property
    def wants_fragment(self) -> bool:
        """Whether a script asks for the main part of a page only."""
        return self.query.get("fragment") == "1"


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateResponse:
    """A page, or a fragment of one."""

    template: str
    values: Mapping[str, Any] = field(default_factory=dict)
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RedirectResponse:
    """Go to another address with GET (303).

    ``notice`` is shown there once. ``session_id`` begins a session in this browser,
    ``ends_session`` ends it; ``sign_in_state`` is kept until a sign-in comes back.
    """

    location: str
    notice: Mapping[str, Any] = field(default_factory=dict)
    session_id: str = ""
    ends_session: bool = False
    sign_in_state: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonResponse:
    """A JSON value; ``fragments`` are rendered and become members of an object."""

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    fragments: Mapping[str, TemplateResponse] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamResponse:
    """Bytes passed through as they come."""

    chunks: Iterator[bytes]
    status: int
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveResponse:
    """Server-sent events until the stream ends."""

    stream: EventStream


Response = (
    TemplateResponse | RedirectResponse | JsonResponse | StreamResponse | LiveResponse
)


class Area(StrEnum):
    """A route: the people it admits, and the form of its errors."""

    PAGE = "page"
    # Needs no session.
    PUBLIC = "public"
    API = "api"
    # Server-sent events; no page, so errors are problems too.
    STREAM = "stream"


class Body(StrEnum):
    """The way to read the body of a request."""

    NONE = "none"
    FORM = "form"
    JSON = "json"
    STREAM = "stream"


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The context of a handler.

    ``clients`` call on behalf of the signed-in person. On a public route nobody need
    be signed in. ``sign_in_state`` was kept when a sign-in began, ``notice`` is what
    the last form left to be shown once. ``event_id`` stands for the changes that a page
    drawn from now on has, for sure.
    """

    request: Request
    locale: Locale
    deps: "Dependencies"
    session: "Session | None" = None
    reader: "Me | None" = None
    loaded_projects: "MyProjects | None" = None
    person_clients: "Clients | None" = None
    session_id: str = ""
    sign_in_state: Mapping[str, str] | None = None
    notice: Mapping[str, Any] = field(default_factory=dict)
    event_id: str = ""

    @property
    def me(self) -> "Me":
        """The signed-in person."""
        if self.reader is None:
            raise Refused("passport.missing")
        return self.reader

    @property
    def clients(self) -> "Clients":
        """Clients that call on behalf of the signed-in person."""
        if self.person_clients is None:
            raise Refused("passport.missing")
        return self.person_clients

    def followed(self) -> "tuple[ProjectView, ...]":
        """Return the projects that the signed-in person follows."""
        loaded = self.loaded_projects or self.clients.projects.my_projects()
        return loaded.projects

    def value(self, name: str) -> Any:
        """Return a part of the address."""
        return self.request.path_values[name]


Handler = Callable[[Context], Response]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """An address with a verb, and the function that serves it."""

    method: str
    path: str
    handler: Handler
    area: Area = Area.PAGE
    body: Body = Body.NONE
    # The page shows the followed projects: their call says who the person is, too.
    shows_followed: bool = False
