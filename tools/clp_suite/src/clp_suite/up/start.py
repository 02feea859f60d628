"""Starting everything, saying where it is, and staying until asked to end."""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Final

from clp_chassis.clock import now
from clp_chassis.security.passports import Issuer
from clp_contracts.client import connect
from clp_contracts.errors import CallFailed, Refused
from clp_contracts.methods import PassportKind
from clp_deploy.broker_permissions import OPERATIONS
from clp_suite.server_process import ServerTrouble
from clp_suite.up.console import View
from clp_suite.up.host import BROKER, House, furnish
from clp_suite.up.supervisor import Supervisor

ADDRESSES: Final = "addresses.env"
FOR_WHOM: Final = (
    "# For a shell that looks after this system, not for starting another."
)


def start(data_dir: Path, copies: Iterable[tuple[str, int]]) -> None:
    """Start everything and keep it running until asked to end."""
    view = View()
    # A call to a service that is still starting is no news.
    logging.getLogger("amqp").setLevel(logging.ERROR)
    with ExitStack() as cleanup:
        asked: list[int] = []
        hear(lambda: asked.append(1))
        view.say("starting; the first time takes a few seconds more")
        try:
            house = furnish(data_dir, dict(os.environ), cleanup)
        except ServerTrouble as trouble:
            raise SystemExit(
                f"{trouble}\nrun `make servers`, or name servers"
            ) from None
        _write_addresses(house)
        supervisor = Supervisor(house, view, dict(copies))
        hear(supervisor.ask_to_end)
        if asked:
            return
        threading.Thread(target=_greet, args=(house, view), daemon=True).start()
        supervisor.run()
    view.say("everything has ended")


def hear(end: Callable[[], None]) -> None:
    """Have Ctrl-C and SIGTERM do something."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: end())


def _greet(house: House, view: View) -> None:
    issuer = Issuer.from_file(house.data_dir / "keys" / "gateway.pem", now)
    passport = issuer.source(OPERATIONS, PassportKind.SERVICE)
    with connect(house.broker_urls[OPERATIONS], passport, timeout=2.0) as clp:
        for progress in (
            clp.projects.progress,
            clp.messages.progress,
            clp.search.progress,
            clp.notifications.progress,
        ):
            while not _answers(progress):
                time.sleep(0.1)
    for line in _directions(house):
        view.say(line)


def _answers(progress: Callable[[], object]) -> bool:
    with suppress(CallFailed, Refused):
        progress()
        return True
    return False


def _directions(house: House) -> list[str]:
    environ, data = house.environ, house.data_dir
    here = "" if data == Path("run-data").resolve() else f" --data {data}"
    mails = data / "sink" if house.sink else environ["CLP_NOTIFICATIONS_MAIL_URL"]
    return [
        "everything is up",
        f"  attachments    http://{environ['CLP_MESSAGES_HTTP_ADDRESS']}/attachments",
        f"  stop links     http://{environ['CLP_NOTIFICATIONS_HTTP_ADDRESS']}/mail/stop/",
        f"  mails          {mails}",
        f"  data           {data}",
        f"  addresses      {data / ADDRESSES} (with passwords: keep it to yourself)",
        f"  a passport     python -m clp_suite.up passport ivy{here}",
        f"  more or fewer  python -m clp_suite.up scale delivery=3{here}",
        "  end            Ctrl-C",
    ]


def _write_addresses(house: House) -> None:
    """Addresses for a shell: of the broker for each user, of the databases."""
    known = {
        f"CLP_{user.upper()}_BROKER_URL": url for user, url in house.broker_urls.items()
    } | {k: v for k, v in house.environ.items() if k.endswith("_URL")}
    # What `clp-ops` asks for.
    known[BROKER] = house.broker_urls[OPERATIONS]
    known["CLP_KEYS_DIR"] = str(house.data_dir / "keys")
    path = house.data_dir / ADDRESSES
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    lines = (f"export {name}='{value}'\n" for name, value in sorted(known.items()))
    path.write_text(f"{FOR_WHOM}\n{''.join(lines)}")
