"""What a remote method is: its name, its ask, its reply and who may call it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Generic, TypeVar

Ask = TypeVar("Ask")
Reply = TypeVar("Reply")


class PassportKind(StrEnum):
    """On whose behalf a call is made."""

    PERSON = "person"
    ROBOT = "robot"
    SERVICE = "service"


PEOPLE: Final = frozenset({PassportKind.PERSON})
AUTHORS: Final = frozenset({PassportKind.PERSON, PassportKind.ROBOT})
SERVICES: Final = frozenset({PassportKind.SERVICE})
PEOPLE_AND_SERVICES: Final = PEOPLE | SERVICES


@dataclass(frozen=True, slots=True)
class Method(Generic[Ask, Reply]):
    """One remote method; arguments are keyword-only."""

    service: str
    name: str
    ask: type[Ask]
    reply: type[Reply]
    kinds: frozenset[PassportKind]
