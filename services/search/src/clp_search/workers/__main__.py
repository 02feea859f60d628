"""A worker: started by the service, holds some shards, ends with it."""

import json
import logging
import socket
import sys
import time
from typing import Final

from clp_search.index.sharded_index import IndexBusy, ShardedIndex
from clp_search.workers import protocol
from clp_search.workers.server import Serving, Task, end_with, open_index

# The worker before this one may still be on its way out.
PATIENCE_S: Final = 10.0


def main(arguments: list[str]) -> None:
    """Serve the line that was handed over."""
    handle, parent, told = arguments
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    end_with(int(parent))
    task: Task = protocol.read(Task, json.loads(told))
    with socket.socket(fileno=int(handle)) as line:
        # The service's own sockets never block, and this one came from there.
        line.settimeout(None)
        index = _opened(task)
        try:
            Serving(index, line).run()
        finally:
            index.close()


def _opened(task: Task) -> ShardedIndex:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            return open_index(task)
        except IndexBusy:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


if __name__ == "__main__":
    main(sys.argv[1:])
