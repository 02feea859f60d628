"""Remote methods: name, request, response, and who may call."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Generic, TypeVar

Request = TypeVar("Request")
Response = TypeVar("Response")


class PassportKind(StrEnum):
    """The kind of subject a passport was issued for."""

    PERSON = "person"
    SERVICE = "service"


PEOPLE: Final = frozenset({PassportKind.PERSON})
SERVICES: Final = frozenset({PassportKind.SERVICE})
PEOPLE_AND_SERVICES: Final = PEOPLE | SERVICES


@dataclass(frozen=True, slots=True)
class Method(Generic[Request, Response]):
    """A remote method; its arguments are the fields of ``request``, keyword-only."""

    service: str
    name: str
    request: type[Request]
    response: type[Response]
    kinds: frozenset[PassportKind]
