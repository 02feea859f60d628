"""Start everything, print the addresses and supervise until a stop signal."""

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Final

from clp_contracts.broker_users import DIRECTORY, OPERATIONS
from clp_contracts.client import connect
from clp_contracts.errors import CallFailed, Refused
from clp_contracts.methods import PassportKind
from clp_deploy.keys import KeyRing
from clp_suite.sample_data import CAST
from clp_suite.server_process import ServerError
from clp_suite.up.console import LogConsole
from clp_suite.up.host import BROKER, Host, prepare_host
from clp_suite.up.kept_secrets import list_secrets, refuse_lost_secrets
from clp_suite.up.safety import ADDRESSES_OF, lock_data_dir, refuse_unsafe
from clp_suite.up.supervisor import Supervisor

ADDRESSES: Final = "addresses.env"
ADD_A_PERSON: Final = (
    "person ivy --name 'Ivy Lane' --email ivy@studio.example --internal"
    " --role dub_portal_user"
)
HEADER: Final = (
    "# Source this in a shell that operates this system; not to start another."
)


def start(data_dir: Path, copies: Iterable[tuple[str, int]]) -> None:
    """Start everything and supervise it until SIGINT or SIGTERM."""
    console = LogConsole()
    # A refused connection while a service starts is expected.
    logging.getLogger("amqp").setLevel(logging.ERROR)
    refuse_unsafe(data_dir, os.environ)
    with ExitStack() as cleanup:
        lock_data_dir(data_dir, cleanup)
        refuse_lost_secrets(data_dir, os.environ)
        stop_requests: list[int] = []
        on_stop_signal(lambda: stop_requests.append(1))
        console.notice("starting; the first start takes a few seconds more")
        try:
            host = prepare_host(data_dir, dict(os.environ), cleanup)
        except ServerError as error:
            raise SystemExit(f"{error}\nrun `make servers`, or name servers") from None
        list_secrets(data_dir)
        _write_addresses(host)
        supervisor = Supervisor(host, console, dict(copies))
        on_stop_signal(supervisor.request_stop)
        if stop_requests:
            return
        threading.Thread(
            target=_announce_ready, args=(host, console), daemon=True
        ).start()
        supervisor.run()
    console.notice("everything has stopped")


def on_stop_signal(stop: Callable[[], None]) -> None:
    """Call a function on SIGINT and SIGTERM."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop())


def _announce_ready(host: Host, console: LogConsole) -> None:
    keys = KeyRing(host.data_dir / "keys")
    passport = keys.source(OPERATIONS, PassportKind.SERVICE)
    with connect(host.broker_urls[OPERATIONS], passport, timeout=2.0) as clp:
        for progress in (
            clp.projects.progress,
            clp.messages.progress,
            clp.search.progress,
            clp.notifications.progress,
            clp.portal.progress,
        ):
            while not _responds(progress):
                time.sleep(0.1)
    for line in _summary(host):
        console.notice(line)


def _responds(progress: Callable[[], object]) -> bool:
    with suppress(CallFailed, Refused):
        progress()
        return True
    return False


def _summary(host: Host) -> list[str]:
    environ, data = host.environ, host.data_dir
    option = "" if data == Path("run-data").resolve() else f" --data {data}"
    mails = data / "sink" if host.sink else environ["CLP_NOTIFICATIONS_SMTP_URL"]
    people = ", ".join(person.id for person in CAST[:3])
    programs = Path(sys.executable).parent
    return [
        "everything is up",
        f"  attachments    http://{environ['CLP_MESSAGES_HTTP_ADDRESS']}/attachments",
        f"  unsubscribe    http://{environ['CLP_NOTIFICATIONS_HTTP_ADDRESS']}/-/unsubscribe/",
        f"  mails          {mails}",
        f"  data           {data}",
        f"  scale          python -m clp_suite.up scale delivery=3{option}",
        "next, in another shell:",
        f"  1 path         export PATH={programs}:$PATH; . {data / ADDRESSES}",
        f"  2 a person     clp-ops --keys {data / 'keys' / DIRECTORY} {ADD_A_PERSON}",
        f"  3 the portal   {environ['CLP_PORTAL_PUBLIC_URL']}",
        f"  4 sign in as   {people}, once added"
        if host.provider
        else f"  4 sign in at   {environ['CLP_PORTAL_OIDC_ISSUER']}",
        "  5 stop         Ctrl-C here",
    ]


def _write_addresses(host: Host) -> None:
    """Write broker and database URLs as shell exports, with mode 0600."""
    exports = {
        f"CLP_{user.upper()}_BROKER_URL": url for user, url in host.broker_urls.items()
    } | {k: v for k, v in host.environ.items() if k.endswith("_URL")}
    exports |= {
        f"CLP_{service.upper()}_MIGRATION_URL": url
        for service, url in host.migration_urls.items()
    }
    # `clp-ops` reads these two.
    exports[BROKER] = host.broker_urls[OPERATIONS]
    exports[ADDRESSES_OF] = str(host.data_dir)
    exports["CLP_KEYS_DIR"] = str(host.data_dir / "keys" / OPERATIONS)
    path = host.data_dir / ADDRESSES
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    lines = (f"export {name}='{value}'\n" for name, value in sorted(exports.items()))
    path.write_text(f"{HEADER}\n{''.join(lines)}")
