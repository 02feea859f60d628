"""Clients that call on behalf of a signed-in person.

Passports live two minutes, are made per person, reused for one, and never leave the
process; the browser holds a session id only.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from clp_chassis.observability.call_chain import current_chain
from clp_chassis.observability.tracing import carrier
from clp_chassis.security.passports import Issuer
from clp_contracts.client import Clients, RpcClient
from clp_contracts.connection_pool import RpcConnectionPool
from clp_contracts.methods import PassportKind

MAX_SOURCES: Final = 4096


class PersonPassports:
    """A passport for any person, from the key that may vouch for people."""

    def __init__(self, issuer: Issuer) -> None:
        self._issuer = issuer
        self._sources: OrderedDict[str, Callable[[str], str]] = OrderedDict()

    def passport(self, person: str, service: str) -> str:
        """Return a passport for one service, valid for a minute at least."""
        source = self._sources.get(person)
        if source is None:
            source = self._issuer.source(person, PassportKind.PERSON)
            self._sources[person] = source
            while len(self._sources) > MAX_SOURCES:
                self._sources.popitem(last=False)
        self._sources.move_to_end(person)
        return source(service)


class PersonClients:
    """Clients for any person, over one pool of connections."""

    def __init__(self, pool: RpcConnectionPool, passports: PersonPassports) -> None:
        self._pool = pool
        self._passports = passports

    def for_person(self, person: str) -> Clients:
        """Return the clients of a person; cheap, made for each request."""
        return Clients(
            RpcClient(
                self._pool,
                lambda service: self._passports.passport(person, service),
                chain=current_chain,
                carrier=carrier,
            )
        )

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()
