"""The example of the TLS proxy against the routes of the services."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from inspect import getmembers
from pathlib import Path
from typing import Any, Final

import pytest

from clp_messages.service import MessagesService
from clp_notifications.service.routing_process import NotificationsService
from clp_portal.http.decoding import MAX_UPLOAD_BYTES
from clp_portal.service import PortalService

ROOT: Final = Path(__file__).parents[2]
PROXY: Final = (ROOT / "deploy/proxy/nginx.conf").read_text()
LOCATION: Final = re.compile(r"location (= )?(\S+) \{([^}]*)\}")
STREAM: Final = "/-/stream"


@dataclass(frozen=True, slots=True)
class Location:
    """A location of the proxy with its directives."""

    path: str
    is_exact: bool
    directives: dict[str, str]

    def serves(self, path: str) -> bool:
        return path == self.path if self.is_exact else path.startswith(self.path)


def directives(block: str) -> dict[str, str]:
    lines = (line.strip().rstrip(";") for line in block.splitlines())
    pairs = (line.split(maxsplit=1) for line in lines if line and line[0] != "#")
    return dict(pairs)


LOCATIONS: Final = tuple(
    Location(path, bool(exact), directives(block))
    for exact, path, block in LOCATION.findall(PROXY)
)


def location_of(path: str) -> Location:
    """The location that nginx chooses: an exact one, else the longest prefix."""
    serving = [one for one in LOCATIONS if one.serves(path)]
    return max(serving, key=lambda one: (one.is_exact, len(one.path)))


def routes(service: Any) -> Iterator[str]:
    """An example path of each HTTP entrypoint."""
    for _, member in getmembers(service):
        for entrypoint in getattr(member, "nameko_entrypoints", ()):
            if (url := getattr(entrypoint, "url", None)) is not None:
                yield re.sub(r"<[^>]*>", "x", url)


@pytest.mark.parametrize(
    ("service", "upstream"),
    [(PortalService, "portal"), (NotificationsService, "notifications")],
)
def test_every_public_route_reaches_its_service(service: Any, upstream: str) -> None:
    paths = set(routes(service))
    assert paths, "the service has routes"

    for path in paths:
        target = location_of(path).directives["proxy_pass"]
        assert target == f"http://{upstream}", path


def test_the_port_of_messages_stays_closed() -> None:
    assert "/attachments" in set(routes(MessagesService))

    targets = {one.directives["proxy_pass"] for one in LOCATIONS}

    assert targets == {"http://portal", "http://notifications"}


def test_streams_are_not_buffered() -> None:
    stream = location_of(STREAM)

    assert stream.directives["proxy_pass"] == "http://portal"
    assert stream.directives["proxy_buffering"] == "off"
    assert stream.directives["gzip"] == "off"


def test_every_location_passes_the_address_of_the_client() -> None:
    """A location with a header of its own would lose those of the server."""
    before_locations = PROXY[: PROXY.index("location ")]

    assert "proxy_set_header X-Forwarded-For $remote_addr;" in before_locations
    assert not [one for one in LOCATIONS if "proxy_set_header" in one.directives]


def test_the_largest_upload_passes() -> None:
    (mebibytes,) = re.findall(r"client_max_body_size (\d+)m;", PROXY)

    assert int(mebibytes) * 1024 * 1024 >= MAX_UPLOAD_BYTES


@pytest.mark.parametrize("service", ["portal", "notifications"])
def test_the_upstreams_have_the_ports_of_the_environments(service: str) -> None:
    environment = (ROOT / f"deploy/environments/{service}.env").read_text()
    (port,) = re.findall(r"_HTTP_ADDRESS=0\.0\.0\.0:(\d+)", environment)

    assert f"server {service}:{port};" in PROXY


def test_links_of_mails_are_not_logged() -> None:
    (path,) = set(routes(NotificationsService))

    assert location_of(path).directives["access_log"] == "off"
