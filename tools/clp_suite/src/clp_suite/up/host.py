"""Servers, keys, ports, folders and environments of one host."""

import os
import socket
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from clp_chassis.persistence.database import UnsupportedSchema, migrate
from clp_chassis.settings import describe_settings
from clp_contracts.broker_users import CLIENTS, OPERATIONS, SERVICES
from clp_deploy.database_roles import DATABASE_SERVICES, DATABASES
from clp_deploy.environments import HTTP_PORTS
from clp_deploy.keys import write_keys
from clp_deploy.processes import ProcessType
from clp_deploy.secret_files import CertificateAuthority, PasswordStore
from clp_suite.environment import SuiteEnvironment
from clp_suite.sample_data import CAST
from clp_suite.server_process import free_ports
from clp_suite.up.servers import DatabaseUrls, PrivateServers

BROKER: Final = "CLP_BROKER_URL"
MAIL: Final = "CLP_NOTIFICATIONS_SMTP_URL"
SHARED_SECRETS: Final = (
    "CLP_NOTIFICATIONS_SECRET",
    "CLP_PORTAL_SECRET",
    "CLP_SEARCH_SECRET",
)
# The local provider accepts any secret, and no client without one.
PROVIDER_SECRETS: Final = ("CLP_PORTAL_OIDC_CLIENT_SECRET",)
ISSUER: Final = "CLP_PORTAL_OIDC_ISSUER"
OBSERVE: Final = "CLP_OBSERVE_ADDRESS"
SINK: Final = "sink"
PROVIDER: Final = "provider"


@dataclass(frozen=True, slots=True)
class Host:
    """The configuration shared by every process of this host.

    ``broker_urls`` maps each broker user to its URL; ``sink`` is the command of the
    SMTP sink, empty where the environment names a relay; ``provider`` that of the
    local identity provider, empty where it names one; ``restart_dead`` restarts
    private servers that have ended and returns their names. No process gets the
    ``migration_urls``, those of the roles that own the tables of each service.
    """

    data_dir: Path
    environ: Mapping[str, str]
    broker_urls: Mapping[str, str]
    sink: tuple[str, ...]
    provider: tuple[str, ...] = ()
    restart_dead: Callable[[], list[str]] = list
    migration_urls: Mapping[str, str] = field(default_factory=dict)

    def environment_of(self, process_type: ProcessType, copy: int) -> dict[str, str]:
        """The environment of one process.

        It holds no other service's passwords; copies share neither folders nor ports.
        """
        described = describe_settings(process_type.settings_type, process_type.service)
        own = {one.variable for one in described} | {
            one.shared_variable for one in described
        }
        environ = {
            name: value
            for name, value in self.environ.items()
            if not name.startswith("CLP_") or name.removesuffix("_FILE") in own
        }
        (port,) = free_ports(1)
        environ[OBSERVE] = f"127.0.0.1:{port}"
        if copy > 0:
            of_copies = {
                "http_address": "127.0.0.1:0",
                "data_dir": str(self.data_dir / f"index.{copy}"),
            }
            environ |= {
                one.variable: of_copies[one.name]
                for one in described
                if one.name in of_copies
            }
        return environ


def configured_databases(environ: Mapping[str, str]) -> DatabaseUrls | None:
    """The database URLs of the environment: of every service, or None.

    ``CLP_SERVICE_MIGRATION_URL`` names a database with the role that owns its tables,
    where that is another one than the role that serves.

    Raises:
        SystemExit: when only some services have one.
    """
    names = {
        service: f"CLP_{service.upper()}_DATABASE_URL" for service in DATABASE_SERVICES
    }
    urls = {
        service: environ[name] for service, name in names.items() if name in environ
    }
    if urls and len(urls) < len(names):
        missing = ", ".join(sorted(names[s] for s in names.keys() - urls.keys()))
        raise SystemExit(f"name every database or none; missing: {missing}")
    owned = {
        service: environ.get(_migration_variable(service), url)
        for service, url in urls.items()
    }
    return DatabaseUrls(serving=urls, migrating=owned) if urls else None


def migrate_databases(databases: DatabaseUrls) -> None:
    """Upgrade every database to the newest schema before a process uses it.

    Raises:
        SystemExit: naming a database that cannot be upgraded.
    """
    for service, url in databases.migrating.items():
        try:
            migrate(url, f"clp_{service}")
        except (SQLAlchemyError, UnsupportedSchema) as error:
            reason = str(error).partition("\n")[0]
            raise SystemExit(f"{service}: {reason}") from None


def _migration_variable(service: str) -> str:
    return f"CLP_{service.upper()}_MIGRATION_URL"


def configured_brokers(environ: Mapping[str, str]) -> dict[str, str]:
    """The broker URLs of the environment: of every user, or none.

    Raises:
        SystemExit: when only some users have one.
    """
    users = (*SERVICES, *CLIENTS)
    urls = {
        user: url
        for user in users
        if (url := environ.get(f"CLP_{user.upper()}_BROKER_URL") or environ.get(BROKER))
    }
    if urls and len(urls) < len(users):
        missing = ", ".join(sorted(set(users) - urls.keys()))
        raise SystemExit(f"name {BROKER}, or one for each user; missing: {missing}")
    return urls


def prepare_host(
    data_dir: Path, environ: Mapping[str, str], cleanup: ExitStack
) -> Host:
    """Start the servers that the environment does not name; collect the settings."""
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o755)
    authority = CertificateAuthority(data_dir / "tls").write()
    named, brokers = configured_databases(environ), configured_brokers(environ)
    servers = PrivateServers(_servers_dir(data_dir, cleanup), data_dir, authority)
    cleanup.callback(servers.stop)
    databases = named or servers.start_postgres()
    migrate_databases(databases)
    brokers = brokers or servers.start_rabbit()
    write_keys(data_dir / "keys")
    sink: tuple[str, ...] = ()
    smtp_url = environ.get(MAIL, "")
    if not smtp_url:
        sink, smtp_url = _smtp_sink(data_dir, authority)
    provider, issuer = _identity_provider(environ)
    settings = SuiteEnvironment(
        broker_url=brokers[OPERATIONS],
        data_dir=data_dir,
        database_urls=databases.serving,
        messages_port=_port(HTTP_PORTS["messages"]),
        notifications_port=_port(HTTP_PORTS["notifications"]),
        portal_port=_port(HTTP_PORTS["portal"]),
        oidc_issuer=issuer,
        smtp_url=smtp_url,
        mail_window_s=5.0,
        search_workers=1,
        broker_urls={service: brokers[service] for service in SERVICES},
    )
    passwords = PasswordStore(data_dir / "secrets")
    names = SHARED_SECRETS + (PROVIDER_SECRETS if provider else ())
    shared = {name: passwords.get(name.lower()) for name in names}
    # The user's environment wins, except for the URLs that were read above.
    merged = settings.environ() | shared | dict(environ)
    for name in (BROKER, *map(_migration_variable, DATABASES)):
        merged.pop(name, None)
    return Host(
        data_dir,
        merged,
        brokers,
        migration_urls=databases.migrating,
        sink=sink,
        provider=provider,
        restart_dead=servers.restart_dead,
    )


def _identity_provider(environ: Mapping[str, str]) -> tuple[tuple[str, ...], str]:
    """The command and the address of a local provider, unless one is named."""
    if issuer := environ.get(ISSUER, ""):
        return (), issuer
    (port,) = free_ports(1)
    users = (f"--user={person.id}" for person in CAST)
    command = ("oidc_provider_mock", f"--port={port}", *users)
    return command, f"http://localhost:{port}"


def _smtp_sink(
    data_dir: Path, authority: CertificateAuthority
) -> tuple[tuple[str, ...], str]:
    certificate = authority.issue(data_dir / "tls")
    (port,) = free_ports(1)
    command = ("clp_suite.smtp_sink", str(port), str(data_dir / SINK))
    return (
        (*command, "--certificate", str(certificate)),
        f"smtps://localhost:{port}?ca={authority.certificate}",
    )


def _servers_dir(data_dir: Path, cleanup: ExitStack) -> Path:
    """A folder that the accounts of the servers can traverse."""
    inside = data_dir / "servers"
    closed = any(
        not parent.stat().st_mode & 0o001 for parent in inside.resolve().parents
    )
    if os.geteuid() != 0 or not closed:
        inside.mkdir(exist_ok=True)
        return inside
    temporary = Path(
        cleanup.enter_context(tempfile.TemporaryDirectory(prefix="clp-up-"))
    )
    temporary.chmod(0o755)
    return temporary


def _port(preferred: int) -> int:
    """The preferred port, or a free one where it is taken."""
    try:
        socket.create_server(("127.0.0.1", preferred)).close()
    except OSError:
        return free_ports(1)[0]
    return preferred
