"""``python -m tests.faults.embedded_writer FOLDER SEED``: an embedded suite that posts until killed.

Each start continues after the acknowledgements in the folder's log, beginning with the
post that was running.
"""

from clp_chassis.concurrency import monkey_patch  # isort: skip  # noqa: F401 - first: it patches the process

import logging
import sys
from pathlib import Path

from clp_chassis.concurrency.rate_limiter import NO_LIMIT
from clp_suite import EmbeddedSuite
from tests.faults.ack_log import AckLog
from tests.faults.load import Client, Load, create_world

LOAD = Load(run=50, clients=1, each=10_000_000, projects=1, mentions=0)


def main() -> None:
    folder, seed = Path(sys.argv[1]), int(sys.argv[2])
    logging.basicConfig(level=logging.ERROR)
    ack_log = AckLog(folder / "acks.jsonl")
    posted = ack_log.read_back()
    with EmbeddedSuite(folder / "data", rate_limit=NO_LIMIT) as suite:
        if not posted:
            create_world(suite, LOAD)
        (folder / "up").touch()
        Client(0, LOAD.going_on(posted, seed), ack_log).work(suite)


if __name__ == "__main__":
    main()
