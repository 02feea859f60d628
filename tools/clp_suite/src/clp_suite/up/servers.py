"""Private RabbitMQ and PostgreSQL of one host, configured as in a deployment.

TLS everywhere, a broker user and a database role for each service. PostgreSQL's data
stays in the data folder from run to run; the broker starts empty, since every event can
be read again from a feed.
"""

import os
import shutil
import subprocess
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from clp_contracts.broker_users import BROKER_USERS
from clp_deploy.broker_permissions import (
    VHOST,
    definitions,
    password_hash,
)
from clp_deploy.database_roles import (
    DATABASE_SERVICES,
    HOST_RULES,
    ROLES,
    owner_of,
    roles_sql,
)
from clp_deploy.secret_files import HOST, CertificateAuthority, PasswordStore
from clp_suite.server_process import account_for, free_ports
from clp_suite.servers import PrivatePostgres, PrivateRabbit, ServerError

SUPERUSER: Final = "clp"


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseUrls:
    """The databases of the services, by the roles that serve and those that migrate."""

    serving: Mapping[str, str]
    migrating: Mapping[str, str]


class PrivateServers:
    """RabbitMQ and PostgreSQL of one run."""

    def __init__(
        self, folder: Path, keep: Path, authority: CertificateAuthority
    ) -> None:
        self._folder = folder
        self._authority = authority
        self._secrets = PasswordStore(keep / "secrets")
        self._open = ExitStack()
        self._servers: list[PrivateRabbit | PrivatePostgres] = []

    def start_rabbit(self) -> dict[str, str]:
        """Start RabbitMQ and return the URL of each user."""
        directory = self._folder / "rabbit"
        shutil.rmtree(directory, ignore_errors=True)
        passwords = {
            user: self._secrets.get(f"{user}_broker_password") for user in BROKER_USERS
        }
        (port,) = free_ports(1)
        account = account_for(PrivateRabbit.PREFERRED_ACCOUNT)
        tls = self._folder / "rabbit-tls"
        certificate = str(self._authority.issue(tls, account))
        definitions_file = tls / "definitions.json"
        definitions_file.unlink(missing_ok=True)
        definitions_file.touch(mode=0o600)
        authority = tls / "ca.pem"
        shutil.copy(self._authority.certificate, authority)
        if account is not None:
            for path in (definitions_file, authority):
                shutil.chown(path, account)
        server = PrivateRabbit(
            directory,
            settings={
                "listeners.ssl.1": f"127.0.0.1:{port}",
                "ssl_options.certfile": certificate,
                "ssl_options.keyfile": certificate,
                "ssl_options.cacertfile": str(authority),
                "ssl_options.verify": "verify_none",
                "max_message_size": "16777216",
                "load_definitions": str(definitions_file),
            },
        )
        content = with_superuser(definitions(passwords), server)
        definitions_file.write_bytes(orjson.dumps(content))
        self._servers.append(self._open.enter_context(server))
        query = f"?ca={self._authority.certificate}"
        return {
            user: f"amqps://{user}:{password}@{HOST}:{port}/{VHOST}{query}"
            for user, password in passwords.items()
        }

    def start_postgres(self) -> DatabaseUrls:
        """Start PostgreSQL with roles and databases; return the URLs of both roles."""
        directory = self._folder / "postgres"
        account = account_for(PrivatePostgres.PREFERRED_ACCOUNT)
        certificate = str(self._authority.issue(self._folder / "postgres-tls", account))
        host_rules = self._folder / "postgres-tls" / "pg_hba.conf"
        host_rules.write_text(HOST_RULES)
        server = PrivatePostgres(
            directory,
            settings={
                "hba_file": str(host_rules),
                "ssl": "on",
                "ssl_cert_file": certificate,
                "ssl_key_file": certificate,
            },
        )
        server.password = self._secrets.get("postgres_superuser_password")
        self._servers.append(self._open.enter_context(server))
        self._open.callback(server.stop)
        for role in ROLES:
            self._secrets.get(f"{role}_database_password")
        self._run_psql(server)
        return DatabaseUrls(
            serving={
                name: self._database_url(server, name, role=name)
                for name in DATABASE_SERVICES
            },
            migrating={
                name: self._database_url(server, name, role=owner_of(name))
                for name in DATABASE_SERVICES
            },
        )

    def _database_url(self, server: PrivatePostgres, name: str, *, role: str) -> str:
        password = self._secrets.get(f"{role}_database_password")
        query = f"?sslmode=verify-full&sslrootcert={self._authority.certificate}"
        place = f"{HOST}:{server.port}/{name}"
        return f"postgresql+psycopg://{role}:{password}@{place}{query}"

    def _run_psql(self, server: PrivatePostgres) -> None:
        psql = shutil.which("psql")
        if psql is None:
            raise ServerError("psql is missing; install postgresql-client")
        result = subprocess.run(  # noqa: S603 - fixed commands
            [psql, "-v", "ON_ERROR_STOP=1", "-q", "-f", "-", "postgres"],
            input=roles_sql(),
            env={
                "PATH": os.environ["PATH"],
                "CLP_SECRETS_DIR": str(self._secrets.folder),
                "PGHOST": HOST,
                "PGPORT": str(server.port),
                "PGUSER": SUPERUSER,
                "PGPASSWORD": server.password,
                "PGSSLMODE": "verify-full",
                "PGSSLROOTCERT": str(self._authority.certificate),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode:
            raise ServerError(f"psql: {result.stderr}")

    def restart_dead(self) -> list[str]:
        """Restart servers that have ended, with their data; return their names.

        A server that does not start is tried again at the next call.
        """
        dead = [server for server in self._servers if not server.is_running]
        for server in dead:
            with suppress(ServerError):
                server.start()
        return [type(server).__name__ for server in dead]

    def stop(self) -> None:
        """Stop the servers."""
        self._open.close()


def with_superuser(known: dict[str, Any], server: PrivateRabbit) -> dict[str, Any]:
    """Broker definitions plus the private server's own administrator."""
    superuser = {
        "name": SUPERUSER,
        "password_hash": password_hash(server.password),
        "hashing_algorithm": "rabbit_password_hashing_sha256",
        "tags": ["administrator"],
    }
    everything = {"user": SUPERUSER, "configure": ".*", "write": ".*", "read": ".*"}
    return known | {
        "vhosts": [*known["vhosts"], {"name": "/"}],
        "users": [*known["users"], superuser],
        "permissions": [
            *known["permissions"],
            *({**everything, "vhost": vhost} for vhost in ("/", VHOST)),
        ],
    }
