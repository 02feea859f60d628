"""``python -m tests.browser.servers_world FOLDER``: processes on servers of their own.

While ``FOLDER/stop`` exists RabbitMQ is stopped; ``FOLDER/stopped`` exists when it is.
Whoever signs in is Nat Moreau.
"""

import signal
import sys
import time
from pathlib import Path

from clp_suite.servers import PrivateRabbit
from tests.journeys.portal_pages import put_night_train
from tests.support.portal_suite import running_portal


def main(folder: Path) -> None:
    """Serve until SIGTERM."""
    signal.signal(signal.SIGTERM, _interrupt)
    with running_portal(folder, portals=1) as running:
        put_night_train(running.suite)
        running.provider.person = "nat"
        sys.stdout.write(f"  Open {running.suite.portal_urls[0]} \n")
        sys.stdout.flush()
        stop_while_requested(running.rabbit, folder)


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
