"""A suite of processes on servers of its own, with a portal and its provider."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from clp_suite.process_suite import ProcessSuite
from clp_suite.server_process import server_directory
from clp_suite.servers import PrivatePostgres, PrivateRabbit
from tests.services.portal.openid_provider import OwnProvider


@dataclass(frozen=True)
class PortalSuite:
    """What runs: the suite, its broker, and where people sign in."""

    suite: ProcessSuite
    rabbit: PrivateRabbit
    provider: OwnProvider


@contextmanager
def running_portal(folder: Path, *, portals: int) -> Iterator[PortalSuite]:
    """Start servers, a provider and all processes; stop them at the end."""
    with (
        server_directory() as servers,
        PrivateRabbit(servers / "rabbit") as rabbit,
        PrivatePostgres(servers / "postgres", durable=False) as postgres,
        OwnProvider() as provider,
    ):
        suite = ProcessSuite(
            folder / "suite",
            rabbit=rabbit,
            postgres=postgres,
            copies={"portal": portals},
        )
        suite.use_provider(provider.issuer)
        with suite:
            yield PortalSuite(suite, rabbit, provider)
