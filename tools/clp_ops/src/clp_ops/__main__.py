"""`clp-ops`: status, dead, redrive, aside, rebuild-index, release-address."""

import os
import sys
from argparse import Namespace
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from clp_chassis.clock import now
from clp_chassis.security.passports import Issuer
from clp_contracts.client import Callers, connect
from clp_contracts.errors import CallFailed, Refused
from clp_contracts.methods import PassportKind
from clp_ops import tables
from clp_ops.arguments import parsed
from clp_ops.status import look

OPERATIONS: Final = "operations"
BROKER: Final = "CLP_BROKER_URL"
OWN_BROKER: Final = "CLP_OPERATIONS_BROKER_URL"
KEYS: Final = "CLP_KEYS_DIR"
INDEX: Final = "CLP_SEARCH_DATA_DIR"
AT_ONCE: Final = 100

Environ = Mapping[str, str]


def main(
    arguments: list[str] | None = None,
    environ: Environ = os.environ,
    console: Console | None = None,
) -> int:
    """Do what was asked for; the number is what the program ends with."""
    asked = parsed(arguments)
    shown = console or Console()
    if asked.command == "rebuild-index":
        folder = asked.folder or environ.get(INDEX)
        if folder is None:
            raise SystemExit(f"name the index's folder: --folder, or {INDEX}")
        # Most commands have no use for an index, nor for every service's entrypoints:
        # whoever waits for a command need not wait for those.
        search = import_module("clp_search.cli")
        return int(search.rebuild(Path(folder), wait=not asked.no_wait))
    acts: dict[str, Callable[[Namespace, Callers, Console], int]] = {
        "status": _status,
        "dead": _dead,
        "redrive": _redrive,
        "aside": lambda asked, clp, shown: _aside(asked, clp, shown, environ=environ),
        "release-address": _release,
    }
    with _connected(environ, asked.timeout) as clp:
        try:
            return acts[asked.command](asked, clp, shown)
        except Refused as refused:
            raise SystemExit(f"refused: {refused.code}: {refused}") from None
        except CallFailed as failure:
            raise SystemExit(
                f"{failure}; is it running? `clp-ops status` shows what is"
            ) from None


def _connected(environ: Environ, timeout: float) -> Callers:
    broker = environ.get(OWN_BROKER) or environ.get(BROKER)
    keys = Path(environ.get(KEYS, "keys"))
    if broker is None:
        raise SystemExit(f"name the broker: {BROKER}=amqp://user:password@host:5672//")
    for name in (OPERATIONS, "gateway"):
        if (path := keys / f"{name}.pem").exists():
            issuer = Issuer.from_file(path, now)
            passport = issuer.source(OPERATIONS, PassportKind.SERVICE)
            return connect(broker, passport, timeout)
    raise SystemExit(f"{keys} holds no {OPERATIONS}.pem; name its folder: {KEYS}")


def _status(asked: Namespace, clp: Callers, console: Console) -> int:
    seen = look(clp)
    if asked.json:
        console.print_json(tables.as_json(seen))
    else:
        console.print(tables.health(seen))
        for ill in seen.ills:
            console.print(f"[red]*[/red] {ill}")
    return 0 if seen.is_well else 1


def _dead(asked: Namespace, clp: Callers, console: Console) -> int:
    rows = clp.notifications.dead(limit=asked.limit).notifications
    console.print(tables.dead(rows) if rows else "Nothing was given up.")
    if len(rows) == asked.limit:
        console.print(f"These are the oldest {asked.limit}; --limit shows more.")
    return 0


def _redrive(asked: Namespace, clp: Callers, console: Console) -> int:
    named = tuple(asked.notification) or _all_dead(clp)
    if not named:
        console.print("Nothing was given up.")
        return 0
    sent = 0
    bar = (TextColumn("sending again"), BarColumn(), MofNCompleteColumn())
    with Progress(*bar, console=console) as progress:
        task = progress.add_task("redrive", total=len(named))
        for start in range(0, len(named), AT_ONCE):
            some = named[start : start + AT_ONCE]
            sent += clp.notifications.redrive(notifications_=some).count
            progress.advance(task, len(some))
    console.print(f"{sent:,} of {len(named):,} notifications are due again.")
    return 0


def _aside(
    asked: Namespace, clp: Callers, console: Console, *, environ: Environ
) -> int:
    desk = import_module("clp_ops.dead_letters").Desk(clp, environ, console)
    if asked.again:
        return int(desk.take_again())
    desk.show()
    return 0


def _all_dead(clp: Callers) -> tuple[str, ...]:
    found: list[str] = []
    while True:
        after = found[-1] if found else None
        rows = clp.notifications.dead(after=after, limit=AT_ONCE).notifications
        found += (row.id for row in rows)
        if len(rows) < AT_ONCE:
            return tuple(found)


def _release(asked: Namespace, clp: Callers, console: Console) -> int:
    if asked.address is None:
        rows = clp.notifications.suppressed().addresses
        console.print(
            tables.suppressed(rows) if rows else "Mails may go to every address."
        )
        return 0
    released = clp.notifications.release(address=asked.address)
    console.print(
        f"Mails may go to {released.address} again; clp-ops redrive sends those that"
        " were given up."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
