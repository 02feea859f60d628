"""The command line of a process: serve, migrate, ``--help`` and ``--check``."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from functools import partial
from textwrap import fill
from typing import TYPE_CHECKING, Any, Final, TypeVar

import eventlet

from clp_chassis.bootstrap import Process, ProcessContext
from clp_chassis.migrate_command import migrate_database
from clp_chassis.persistence.database import UnsupportedSchema
from clp_chassis.reachability import (
    place_of,
    reason_of,
    require_broker,
    require_database,
    require_free_port,
)
from clp_chassis.runner import serve
from clp_chassis.setting_kinds import ADDRESS, parse_address
from clp_chassis.settings import (
    InvalidSettings,
    ProcessSettings,
    SettingDescription,
    describe_settings,
    read_whole_environment,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from clp_chassis.observability.gauges import Check

S = TypeVar("S", bound=ProcessSettings)

MIGRATE: Final = "migrate"
CHECK_TIMEOUT_S: Final = 10.0
WIDTH: Final = 78
INDENT: Final = " " * 6
HELP: Final = """\
Settings are environment variables. NAME_FILE instead of NAME names a file that holds
the value. What every process has is also read from CLP_NAME, without the service.
"""


def main(
    service: str,
    settings_type: type[S],
    build: Callable[[S, ProcessContext], Process],
    *,
    reach: Callable[[S], Mapping[str, Check]] = lambda _: {},
    process_type: str | None = None,
    arguments: Sequence[str] | None = None,
) -> None:
    """Run one process type of a service; every `__main__` calls this.

    Reads the settings, opens the port for health and metrics, migrates a SQLite file or
    checks the schema of a PostgreSQL database, builds the process and runs it until it
    is told to stop. With ``migrate`` it upgrades the database and ends.
    ``reach`` gives what ``--check`` tries beyond that: functions that raise, each by
    the name of its setting. ``process_type`` is its name in logs and traces, where that
    is not the service's.

    Raises:
        SystemExit: with a line for each wrong setting.
    """
    # Files of this process are readable by its own account only.
    os.umask(0o077)
    options = _parser(service, settings_type, process_type).parse_args(arguments)
    if options.command == MIGRATE:
        migrate_database(service, settings_type)
        return
    try:
        settings = read_whole_environment(settings_type, service)
        name = process_type or service
        addresses = _addresses(service, settings, process_type=name)
        if options.check:
            raise SystemExit(_check(service, settings, reach, addresses=addresses))
        _require_free_ports(addresses, settings)
        serve(settings, build, service=service, process_type=name)
    except InvalidSettings as error:
        raise SystemExit(f"invalid settings:\n{error}") from None
    except UnsupportedSchema as error:
        raise SystemExit(f"{service}: {error}") from None


def _parser(
    service: str, settings_type: type[ProcessSettings], process_type: str | None
) -> ArgumentParser:
    program = f"python -m clp_{service}"
    if process_type not in {None, service}:
        program += f" {process_type}"
    parser = ArgumentParser(
        program,
        # The docstring of `__main__` tells of its other commands.
        description=sys.modules["__main__"].__doc__,
        epilog=settings_help(settings_type, service),
        formatter_class=RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "command",
        nargs="?",
        choices=[MIGRATE],
        help="upgrade the database of the service, and end; the role that owns its "
        f"tables is in CLP_{service.upper()}_MIGRATION_URL",
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="check every setting, servers and folders included, and exit",
    )
    return parser


def settings_help(settings_type: type[ProcessSettings], service: str) -> str:
    """Describe every setting: variable, default, unit, values and meaning."""
    blocks = map(_help_of, describe_settings(settings_type, service))
    return "\n\n".join((HELP, *blocks))


def _help_of(one: SettingDescription) -> str:
    unit = f", in {one.setting.unit}" if one.setting.unit else ""
    text = f"{one.setting.meaning}: {one.expected}{unit}"
    body = fill(text, WIDTH, initial_indent=INDENT, subsequent_indent=INDENT)
    return f"  {one.variable}   ({shown_default(one)})\n{body}"


def shown_default(one: SettingDescription) -> str:
    """The default of a setting in words."""
    if one.default is None:
        return "required"
    if one.default == "":
        return "empty"
    return f"default {one.default_text}"


# ---- --check


def _check(
    service: str,
    settings: S,
    reach: Callable[[S], Mapping[str, Check]],
    *,
    addresses: Sequence[SettingDescription],
) -> int:
    """Try whatever the settings name; print a line for each; return the exit code."""
    described = {one.name: one for one in describe_settings(type(settings), service)}
    failed = 0
    own = _own_checks(service, settings, addresses)
    for name, check in [*own, *reach(settings).items()]:
        one = described[name]
        failure = _failure(check)
        failed += failure is not None
        place = place_of(getattr(settings, name))
        sys.stdout.write(f"{one.variable}: {place or 'given'}: {failure or 'usable'}\n")
    rest = f"{failed} of them not usable" if failed else "all usable"
    sys.stdout.write(f"{service}: every setting is well-formed, {rest}\n")
    return 1 if failed else 0


def _own_checks(
    service: str, settings: Any, addresses: Iterable[SettingDescription]
) -> Iterator[tuple[str, Check]]:
    """Checks of every process: its keys, broker, database and ports."""
    yield "keys_dir", lambda: ProcessContext.from_settings(service, settings)
    if not settings.broker_url.startswith("inprocess:"):
        yield "broker_url", lambda: require_broker(settings.broker_url)
    if hasattr(settings, "database_url"):
        yield "database_url", lambda: require_database(settings.database_url)
    for one in addresses:
        address = parse_address(getattr(settings, one.name))
        yield one.name, partial(require_free_port, *address)


def _failure(check: Check) -> str | None:
    try:
        with eventlet.Timeout(CHECK_TIMEOUT_S):
            check()
    except eventlet.Timeout:
        return f"no response in {CHECK_TIMEOUT_S:g} s"
    except InvalidSettings as error:
        return str(error).partition(": ")[2]
    except Exception as error:  # noqa: BLE001 - each is a failure of this check
        return reason_of(error)
    return None


def _addresses(
    service: str, settings: Any, *, process_type: str
) -> list[SettingDescription]:
    """The settings of addresses that a process listens on.

    A process beside that of the service's name serves no HTTP but health and metrics.
    """
    return [
        one
        for one in describe_settings(type(settings), service)
        if one.setting.kind is ADDRESS
        and getattr(settings, one.name)
        and (process_type == service or one.name == "observe_address")
    ]


def _require_free_ports(
    addresses: Iterable[SettingDescription], settings: ProcessSettings
) -> None:
    """Name the setting whose address is taken, before anything starts."""
    for one in addresses:
        address = getattr(settings, one.name)
        try:
            require_free_port(*parse_address(address))
        except OSError as error:
            raise InvalidSettings(
                f"{one.variable}: cannot listen on {address}: {reason_of(error)};"
                " expected a free HOST:PORT of this machine"
            ) from None
