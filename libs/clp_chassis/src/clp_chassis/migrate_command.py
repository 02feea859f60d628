"""``python -m clp_SERVICE migrate``: upgrade a database before a process uses it."""

from __future__ import annotations

import logging
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final

import eventlet
from sqlalchemy.exc import ProgrammingError

from clp_chassis.persistence.database import (
    TRANSIENT_ERRORS,
    UnsupportedSchema,
    migrate,
)
from clp_chassis.reachability import WaitLog, place_of, reason_of
from clp_chassis.setting_kinds import DATABASE
from clp_chassis.settings import (
    InvalidSettings,
    Setting,
    describe_settings,
    read_setting,
    read_settings,
)

if TYPE_CHECKING:
    from clp_chassis.settings import ProcessSettings

log = logging.getLogger(__name__)

# A database server may take so long to start after a power cut.
DATABASE_TIMEOUT_S: Final = 60.0
RETRY_INTERVAL_S: Final = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationSettings:
    """The setting of the command; a serving process refuses it."""

    migration_url: Annotated[
        str,
        Setting(
            "the database, with the role that owns its tables; empty: the one that"
            " the service uses",
            DATABASE,
            is_secret=True,
        ),
    ] = ""


def migrate_database(service: str, settings_type: type[ProcessSettings]) -> None:
    """Upgrade the database of a service to the newest schema.

    Raises:
        SystemExit: with one line that names the reason.
    """
    try:
        url = _migration_url(service, settings_type)
        state = "no database to migrate"
        if url:
            state = f"the schema is at {_migrate(url, f'clp_{service}')}"
    except InvalidSettings as error:
        raise SystemExit(f"invalid settings:\n{error}") from None
    except UnsupportedSchema as error:
        raise SystemExit(f"{service}: {error}") from None
    except ProgrammingError as error:
        variable = f"CLP_{service.upper()}_MIGRATION_URL"
        raise SystemExit(
            f"{service}: the role cannot migrate ({type(error.orig).__name__}): name "
            f"in {variable} the database with the role that owns its tables"
        ) from None
    sys.stdout.write(f"{service}: {state}\n")


def _migration_url(service: str, settings_type: type[ProcessSettings]) -> str:
    if url := read_settings(MigrationSettings, service).migration_url:
        return url
    name = settings_type.database_setting
    for described in describe_settings(settings_type, service):
        if described.name == name:
            url = read_setting(described).get(name, described.default)
    return url


def _migrate(url: str, package: str) -> str:
    waits = WaitLog(log, "database", url)
    is_file = url.startswith("sqlite")
    deadline = time.monotonic() + (0 if is_file else DATABASE_TIMEOUT_S)
    while True:
        try:
            return migrate(url, package)
        except TRANSIENT_ERRORS as error:
            if time.monotonic() >= deadline:
                raise UnsupportedSchema(
                    f"the database {place_of(url)}: {reason_of(error)}"
                ) from None
            waits.failed(error)
            eventlet.sleep(RETRY_INTERVAL_S)
