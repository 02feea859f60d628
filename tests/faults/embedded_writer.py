"""``python -m tests.faults.embedded_writer FOLDER SEED``: the embedded suite, posting for ever.

Each start goes on where the acknowledgements in the folder's ledger end, with the post
that was in hand first.
"""

import logging
import sys
from pathlib import Path

from clp_suite import EmbeddedSuite
from tests.faults.ack_log import Ledger
from tests.faults.load import Client, Load, set_scene

LOAD = Load(run=50, clients=1, each=10_000_000, projects=1, mentions=0)


def main() -> None:
    folder, seed = Path(sys.argv[1]), int(sys.argv[2])
    logging.basicConfig(level=logging.ERROR)
    ledger = Ledger(folder / "acks.jsonl")
    posted = ledger.read_back()
    with EmbeddedSuite(folder / "data") as suite:
        if not posted:
            set_scene(suite, LOAD)
        (folder / "up").touch()
        Client(0, LOAD.going_on(posted, seed), ledger).work(suite)


if __name__ == "__main__":
    main()
