"""Limits of the web server: what runs at once, in all, per client and per person."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import TYPE_CHECKING, Any, Final

import eventlet

from clp_contracts.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from clp_chassis.http.event_stream import EventStream

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# The container setting with the `HttpLimits`.
HTTP_LIMITS: Final = "clp_http_limits"
# One IPv6 client usually has a network of its own.
IPV6_PREFIX: Final = 64
# The environ keys of the client's key, and of what to call when a request ends.
CLIENT: Final = "clp.client"
RELEASES: Final = "clp.releases"


class TrustedProxies:
    """Proxies whose ``X-Forwarded-For`` header is believed.

    Raises:
        ValueError: for a value that is no address or network.
    """

    def __init__(self, networks: Iterable[str] = ()) -> None:
        self._networks: tuple[Network, ...] = tuple(map(ip_network, networks))

    def __contains__(self, peer: str) -> bool:
        """Whether a peer is one of the proxies."""
        address = _address(peer)
        return address is not None and any(
            address in network for network in self._networks
        )

    def client_of(self, peer: str, forwarded_for: str) -> str:
        """Return the key of the client: its address, or its network for IPv6.

        Each proxy appends the address it was called from. Addresses left of the last
        one that is no trusted proxy were written by the client itself.
        """
        client = peer
        hops = [hop.strip() for hop in forwarded_for.split(",") if hop.strip()]
        while client in self and hops:
            client = hops.pop()
        return key_of(client)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpLimits:
    """Limits of connections, requests and event streams that are open at once.

    ``head_timeout_s`` bounds the time until the head of a request has arrived. A client
    is an address, an IPv6 network of 64 bits, or what a trusted proxy names.
    """

    max_connections: int = 2_560
    max_connections_per_client: int = 640
    max_requests: int = 256
    max_requests_per_client: int = 64
    max_requests_per_person: int = 16
    max_streams: int = 2_000
    max_streams_per_person: int = 20
    head_timeout_s: float = 10.0
    trusted_proxies: TrustedProxies = field(default_factory=TrustedProxies)


class Seats:
    """Count what runs; refuse more than a limit in all, or per key."""

    def __init__(self, limit: int, limit_per_key: int) -> None:
        self.limit = limit
        self.taken = 0
        self._limit_per_key = limit_per_key
        self._taken: Counter[str] = Counter()

    @property
    def is_full(self) -> bool:
        """Whether no seat is free."""
        return self.taken >= self.limit

    def take(self, key: str) -> bool:
        """Take a seat for a key; return False when there is none."""
        if self.is_full or self._taken[key] >= self._limit_per_key:
            return False
        self.taken += 1
        self._taken[key] += 1
        return True

    def free(self, key: str) -> None:
        """Give a seat back."""
        self.taken -= 1
        self._taken[key] -= 1
        if not self._taken[key]:
            del self._taken[key]


class HttpSeats:
    """The seats of one web server."""

    def __init__(self, limits: HttpLimits) -> None:
        self.limits = limits
        self.connections = Seats(
            limits.max_connections, limits.max_connections_per_client
        )
        self.requests = Seats(limits.max_requests, limits.max_requests_per_client)
        self.people = Seats(limits.max_requests, limits.max_requests_per_person)
        self.streams = Seats(limits.max_streams, limits.max_streams_per_person)
        self._open_streams: dict[EventStream, str] = {}
        self._is_stopping = False

    def take_request(self, environ: dict[str, Any]) -> None:
        """Take a seat of the client until its request ends."""
        environ[CLIENT] = self.limits.trusted_proxies.client_of(
            environ["REMOTE_ADDR"], environ.get("HTTP_X_FORWARDED_FOR", "")
        )
        _take(environ, self.requests, environ[CLIENT])

    def take_person(self, environ: dict[str, Any], person: str) -> None:
        """Take a seat of a person until the request ends."""
        _take(environ, self.people, person)
        # Event streams are counted per person where one is known.
        environ[CLIENT] = _key_of_person(person)

    def take_stream(
        self, environ: dict[str, Any], stream: EventStream, person: str = ""
    ) -> None:
        """Take a seat of a stream in place of those of its request.

        It is one of the person named here, else of the person or client of the request.
        """
        release_all(environ)
        key = _key_of_person(person) if person else environ[CLIENT]
        self._free_left_seats(key)
        _take(environ, self.streams, key)
        self._open_streams[stream] = key
        environ[RELEASES].append(lambda: self._open_streams.pop(stream))
        environ[RELEASES].append(stream.close)
        if self._is_stopping:
            stream.close()

    def _free_left_seats(self, key: str) -> None:
        """Take back the seats of clients that went away: each new page opens a stream.

        Streams themselves notice it only when they write.
        """
        streams = [one for one, its in self._open_streams.items() if its == key]
        if [one for one in streams if one.end_if_gone()]:
            # Their threads run, and give the seats back.
            eventlet.sleep(0)

    def close_streams(self) -> None:
        """End all event streams, and those that are opened from now on."""
        self._is_stopping = True
        for stream in list(self._open_streams):
            stream.close()

    def check(self) -> None:
        """Raise when a request or a stream would be refused."""
        for name, seats in (("requests", self.requests), ("streams", self.streams)):
            if seats.is_full:
                raise OSError(f"all {seats.limit} seats for {name} are taken")


def release_all(environ: dict[str, Any]) -> None:
    """Give back what a request holds."""
    releases: list[Callable[[], object]] = environ[RELEASES]
    while releases:
        releases.pop()()


def key_of(peer: str) -> str:
    """Return the key under which a peer is counted."""
    address = _address(peer)
    if isinstance(address, IPv6Address):
        return str(ip_network((address, IPV6_PREFIX), strict=False))
    return str(address or peer)


def _key_of_person(person: str) -> str:
    return f"person {person}"


def _take(environ: dict[str, Any], seats: Seats, key: str) -> None:
    if not seats.take(key):
        raise Refused("service.unavailable")
    environ[RELEASES].append(lambda: seats.free(key))


def _address(peer: str) -> Address | None:
    try:
        address = ip_address(peer)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
