"""A worker process: started by the service, holds some shards, ends with it."""

import gc
import logging
import socket
import sys
import time
from typing import Final

from clp_search.index.sharded_index import IndexBusy, ShardedIndex
from clp_search.workers.server import (
    EngineServer,
    WorkerConfig,
    config_from_json,
    exit_with,
    open_index,
)

# The worker before this one may still be ending.
LOCK_TIMEOUT_S: Final = 10.0


def main(arguments: list[str]) -> None:
    """Serve requests on the inherited socket."""
    handle, parent, content = arguments
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    exit_with(int(parent))
    config = config_from_json(content)
    with socket.socket(fileno=int(handle)) as connection:
        # The service's own sockets never block, and this one came from there.
        connection.settimeout(None)
        index = _open(config)
        # What was imported stays: no search waits until it was looked through.
        gc.freeze()
        try:
            EngineServer(index, connection).run()
        finally:
            index.close()


def _open(config: WorkerConfig) -> ShardedIndex:
    deadline = time.monotonic() + LOCK_TIMEOUT_S
    while True:
        try:
            return open_index(config)
        except IndexBusy:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


if __name__ == "__main__":
    main(sys.argv[1:])
