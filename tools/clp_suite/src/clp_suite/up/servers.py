"""The servers of one host as a deployment has them: TLS, a user and a role for each.

RabbitMQ and PostgreSQL are private ones unless the environment names others. The rows
are kept in the data folder from run to run; the broker begins empty, as nothing is lost
with it.
"""

import os
import shutil
import subprocess
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, Final

import orjson

from clp_deploy.broker_permissions import (
    USERS,
    VHOST,
    definitions,
    password_hash,
)
from clp_deploy.database_roles import KEEPERS, ROLES, roles_sql
from clp_deploy.secret_files import HOST, Authority, Passwords
from clp_suite.server_process import account_for, free_ports
from clp_suite.servers import PrivatePostgres, PrivateRabbit, ServerTrouble

SUPERUSER: Final = "clp"


class PrivateServers:
    """RabbitMQ and PostgreSQL of one run, set up as a deployment sets them up."""

    def __init__(self, folder: Path, keep: Path, authority: Authority) -> None:
        self._folder = folder
        self._authority = authority
        self._secrets = Passwords(keep / "secrets")
        self._open = ExitStack()
        self._servers: list[PrivateRabbit | PrivatePostgres] = []

    def start_rabbit(self) -> dict[str, str]:
        """Start RabbitMQ; an address for each user."""
        place = self._folder / "rabbit"
        shutil.rmtree(place, ignore_errors=True)
        passwords = {
            user: self._secrets.get(f"{user}_broker_password") for user in USERS
        }
        (port,) = free_ports(1)
        account = account_for(PrivateRabbit.PREFERRED_ACCOUNT)
        tls = self._folder / "rabbit-tls"
        certificate = str(self._authority.issue(tls, account))
        known = tls / "definitions.json"
        known.unlink(missing_ok=True)
        known.touch(mode=0o600)
        authority = tls / "ca.pem"
        shutil.copy(self._authority.certificate, authority)
        if account is not None:
            for path in (known, authority):
                shutil.chown(path, account)
        server = PrivateRabbit(
            place,
            settings={
                "listeners.ssl.1": f"127.0.0.1:{port}",
                "ssl_options.certfile": certificate,
                "ssl_options.keyfile": certificate,
                "ssl_options.cacertfile": str(authority),
                "ssl_options.verify": "verify_none",
                "load_definitions": str(known),
            },
        )
        known.write_bytes(orjson.dumps(_with_owner(definitions(passwords), server)))
        self._servers.append(self._open.enter_context(server))
        query = f"?ca={self._authority.certificate}"
        return {
            user: f"amqps://{user}:{password}@{HOST}:{port}/{VHOST}{query}"
            for user, password in passwords.items()
        }

    def start_postgres(self) -> dict[str, str]:
        """Start PostgreSQL with roles and databases; an address for each service."""
        place = self._folder / "postgres"
        account = account_for(PrivatePostgres.PREFERRED_ACCOUNT)
        certificate = str(self._authority.issue(self._folder / "postgres-tls", account))
        server = PrivatePostgres(
            place,
            settings={
                "ssl": "on",
                "ssl_cert_file": certificate,
                "ssl_key_file": certificate,
            },
        )
        server.password = self._secrets.get("postgres_superuser_password")
        self._servers.append(self._open.enter_context(server))
        self._open.callback(server.stop)
        passwords = {
            name: self._secrets.get(f"{name}_database_password") for name in ROLES
        }
        self._run_psql(server)
        query = f"?sslmode=verify-full&sslrootcert={self._authority.certificate}"
        return {
            name: f"postgresql+psycopg://{name}:{passwords[name]}@{HOST}:{server.port}"
            f"/{name}{query}"
            for name in KEEPERS
        }

    def _run_psql(self, server: PrivatePostgres) -> None:
        psql = shutil.which("psql")
        if psql is None:
            raise ServerTrouble("psql is missing; install postgresql-client")
        done = subprocess.run(  # noqa: S603 - our own words only
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
        if done.returncode:
            raise ServerTrouble(f"psql: {done.stderr}")

    def revive(self) -> list[str]:
        """Start servers again that ended by themselves; say which.

        Their data is what it was. One that does not start is tried again next time.
        """
        dead = [server for server in self._servers if not server.is_running]
        for server in dead:
            with suppress(ServerTrouble):
                server.start()
        return [type(server).__name__ for server in dead]

    def stop(self) -> None:
        """End the servers."""
        self._open.close()


def _with_owner(known: dict[str, Any], server: PrivateRabbit) -> dict[str, Any]:
    """Definitions that leave the private server's own user in place."""
    owner = {
        "name": SUPERUSER,
        "password_hash": password_hash(server.password),
        "hashing_algorithm": "rabbit_password_hashing_sha256",
        "tags": ["administrator"],
    }
    everything = {"user": SUPERUSER, "configure": ".*", "write": ".*", "read": ".*"}
    return known | {
        "vhosts": [*known["vhosts"], {"name": "/"}],
        "users": [*known["users"], owner],
        "permissions": [
            *known["permissions"],
            *({**everything, "vhost": vhost} for vhost in ("/", VHOST)),
        ],
    }
