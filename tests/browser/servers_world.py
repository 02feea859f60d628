"""``python -m tests.browser.servers_world FOLDER``: processes on servers of their own.

While ``FOLDER/stop`` exists RabbitMQ is stopped; ``FOLDER/stopped`` exists when it is.
Whoever signs in is Nat Moreau.
"""

import signal
import sys
import time
from pathlib import Path

from clp_suite.process_suite import ProcessSuite
from clp_suite.server_process import server_directory
from clp_suite.servers import PrivatePostgres, PrivateRabbit
from tests.journeys.portal_pages import put_night_train
from tests.services.portal.openid_provider import OwnProvider


def main(folder: Path) -> None:
    """Serve until SIGTERM."""
    signal.signal(signal.SIGTERM, _interrupt)
    with (
        server_directory() as servers,
        PrivateRabbit(servers / "rabbit") as rabbit,
        PrivatePostgres(servers / "postgres", durable=False) as postgres,
        OwnProvider() as provider,
    ):
        suite = ProcessSuite(
            folder / "suite", rabbit=rabbit, postgres=postgres, copies={"portal": 1}
        )
        suite.use_provider(provider.issuer)
        with suite:
            put_night_train(suite)
            provider.person = "nat"
            sys.stdout.write(f"  Open {suite.portal_urls[0]} \n")
            sys.stdout.flush()
            stop_while_requested(rabbit, folder)


def stop_while_requested(rabbit: PrivateRabbit, folder: Path) -> None:
    """Stop and start the broker as a file says."""
    request, stopped = folder / "stop", folder / "stopped"
    while True:
        if request.exists() != stopped.exists():
            if request.exists():
                rabbit.stop()
                stopped.touch()
            else:
                rabbit.start()
                stopped.unlink()
        time.sleep(0.1)


def _interrupt(*_: object) -> None:
    raise SystemExit(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
