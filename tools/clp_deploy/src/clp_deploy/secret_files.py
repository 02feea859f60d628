"""Passwords, certificates and keys of a deployment, one folder for each reader.

rabbitmq/     definitions.json (passwords hashed), ca.pem, server.pem
postgresql/   server.pem, a password for each role
SERVICE/      broker_url, database_url (search: engine_url), secret, ca.pem, keys/
SERVICE-migration/
              migration_url, ca.pem
scaling/      login of the autoscaler: broker_url, tls, connection, ca.pem
gateway/, directory/, operations/
              broker_url, ca.pem and keys/ of each client outside
"""

import json
import os
import pwd
import secrets
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

import trustme

from clp_contracts.broker_users import BROKER_USERS, CLIENTS, SCALING, SERVICES
from clp_deploy.broker_permissions import VHOST, definitions
from clp_deploy.database_roles import (
    DATABASES,
    SCALED_DATABASE,
    SEARCH,
    migration_of,
    owner_of,
)
from clp_deploy.keys import HOLDERS, write_keys

HOST: Final = "localhost"
RABBITMQ: Final = "rabbitmq"
POSTGRESQL: Final = "postgresql"
MOUNT_DIR: Final = "/etc/clp"
# The folder of KEDA's installation for additional authorities.
KEDA_AUTHORITIES: Final = "/custom/ca"
MIGRATIONS: Final = tuple(migration_of(service) for service in DATABASES)
FOLDERS: Final = (RABBITMQ, POSTGRESQL, SCALING, *MIGRATIONS, *HOLDERS)
# Written last: its presence marks a complete set.
LAST: Final = f"{RABBITMQ}/server.pem"


@dataclass(slots=True)
class CertificateAuthority:
    """A private certificate authority of one deployment."""

    folder: Path
    _ca: trustme.CA = field(default_factory=trustme.CA)

    @property
    def certificate(self) -> Path:
        """The PEM file of the authority's certificate."""
        return self.folder / "ca.pem"

    def write(self) -> Self:
        """Write the authority's certificate."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._ca.cert_pem.write_to_path(str(self.certificate))
        return self

    def issue(self, folder: Path, account: str | None = None, host: str = HOST) -> Path:
        """Issue a certificate and key for a host, readable by one account only."""
        folder.mkdir(parents=True, exist_ok=True)
        server = folder / "server.pem"
        server.unlink(missing_ok=True)
        server.touch(mode=0o600)
        server.write_bytes(
            self._ca.issue_cert(host).private_key_and_cert_chain_pem.bytes()
        )
        if account is not None:
            shutil.chown(server, account, pwd.getpwnam(account).pw_gid)
        return server


@dataclass(frozen=True, slots=True)
class PasswordStore:
    """A folder of passwords, one per file, generated where missing."""

    folder: Path

    def get(self, name: str) -> str:
        """The password of a file, generated at the first call."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self.folder / name
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(secrets.token_urlsafe(24))
        return path.read_text()


def write_secret_folders(folder: Path, owners: Mapping[str, int]) -> None:
    """Write all secrets once; existing ones are kept.

    ``owners`` maps a folder to the user id that owns it; by default the current user.

    Raises:
        SystemExit: some are missing, of an interrupted run or a loss.
    """
    for name in FOLDERS:
        (folder / name).mkdir(parents=True, exist_ok=True, mode=0o700)
    if not (folder / LAST).exists():
        _refuse_half_a_set(folder)
        _write_all(folder)
    for name, owner in owners.items():
        for path in (folder / name, *(folder / name).rglob("*")):
            os.chown(path, owner, owner)
            path.chmod(0o700 if path.is_dir() else 0o600)


def _refuse_half_a_set(folder: Path) -> None:
    """Never put new secrets over some that may be in use."""
    found = next((p for n in FOLDERS for p in (folder / n).rglob("*")), None)
    if found is not None:
        raise SystemExit(
            f"{folder / LAST} is missing beside {found}: restore it from the backup,"
            f" or empty the folders of {folder} for a set of new secrets"
        )


def _write_all(folder: Path) -> None:
    authority = CertificateAuthority(folder / RABBITMQ).write()
    _write_keys(folder)
    databases = PasswordStore(folder / POSTGRESQL)
    brokers = {user: secrets.token_urlsafe(24) for user in BROKER_USERS}
    for service in SERVICES:
        _write_service(folder / service, brokers[service], databases)
    for user in CLIENTS:
        _put(folder / user / "broker_url", _broker_url(user, brokers[user]))
    _write_scaling(folder / SCALING, brokers[SCALING], databases)
    databases.get("postgres_superuser_password")
    authority.issue(folder / POSTGRESQL, host=POSTGRESQL)
    text = json.dumps(definitions(brokers), indent=1)
    _put(folder / RABBITMQ / "definitions.json", text)
    for name in (SCALING, *MIGRATIONS, *HOLDERS):
        shutil.copy(authority.certificate, folder / name / "ca.pem")
    authority.issue(folder / RABBITMQ, host=RABBITMQ)


def _write_service(place: Path, password: str, databases: PasswordStore) -> None:
    service = place.name
    _put(place / "broker_url", _broker_url(service, password))
    _put(place / "secret", secrets.token_urlsafe(32))
    if service in DATABASES:
        name = "engine_url" if service == SEARCH else "database_url"
        _put(place / name, _service_url(service, service, databases))
        owned = _service_url(owner_of(service), service, databases)
        _put(place.with_name(migration_of(service)) / "migration_url", owned)


def _write_keys(folder: Path) -> None:
    """Give each holder a folder with its own private keys and all public ones."""
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        write_keys(Path(temporary))
        for holder in HOLDERS:
            shutil.copytree(Path(temporary) / holder, folder / holder / "keys")


def _write_scaling(place: Path, password: str, databases: PasswordStore) -> None:
    """Write the keys of the Kubernetes secret `clp-scaling`, which KEDA reads."""
    url = _broker_url(SCALING, password)
    _put(place / "broker_url", url.partition("?")[0])
    _put(place / "tls", "enable")
    database = _database(SCALING, SCALED_DATABASE, databases)
    _put(place / "connection", f"postgresql{database}{KEDA_AUTHORITIES}/ca.pem")


def _service_url(role: str, service: str, databases: PasswordStore) -> str:
    place = _database(role, service, databases)
    return f"postgresql+psycopg{place}{MOUNT_DIR}/ca.pem"


def _database(role: str, database: str, databases: PasswordStore) -> str:
    password = databases.get(f"{role}_database_password")
    place = f"{POSTGRESQL}:5432/{database}"
    return f"://{role}:{password}@{place}?sslmode=verify-full&sslrootcert="


def _broker_url(user: str, password: str) -> str:
    return f"amqps://{user}:{password}@{RABBITMQ}:5671/{VHOST}?ca={MOUNT_DIR}/ca.pem"


def _put(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)
