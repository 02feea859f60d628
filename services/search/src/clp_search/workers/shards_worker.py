"""A worker process that holds some shards of an index in a folder."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from clp_search.engine import Document
from clp_search.index.sharded_index import IndexBusy, ShardedIndex
from clp_search.snippets import highlight_slice
from clp_search.workers.configs import ShardsConfig
from clp_search.workers.protocol import (
    APPLY,
    CLOSE,
    FLUSH,
    HIGHLIGHT,
    MAINTAIN,
    SEARCH,
    SIZE,
    VERIFY,
)
from clp_search.workers.server import ServedIndex, serve

# The worker before this one may still be ending.
LOCK_TIMEOUT_S: Final = 10.0

# Flush so long at a time, to let other requests through.
FLUSH_SLICE_S: Final = 0.2


def served(index: ShardedIndex) -> ServedIndex:
    """Return what a worker serves of some shards."""

    def apply(documents: Sequence[Document], after: int, upto: int) -> None:
        index.apply(documents, after=after, upto=upto)
        index.flush_backlog()

    return ServedIndex(
        methods={
            APPLY: apply,
            SEARCH: index.search,
            VERIFY: index.verify,
            HIGHLIGHT: highlight_slice,
            MAINTAIN: index.begin_flush,
            FLUSH: lambda: index.flush_for(FLUSH_SLICE_S),
            SIZE: index.size,
            CLOSE: index.checkpoint,
        },
        cursors=index.cursors,
        step=index.step,
        close=index.close,
    )


def _open(config: ShardsConfig) -> ServedIndex:
    deadline = time.monotonic() + LOCK_TIMEOUT_S
    while True:
        try:
            folder = Path(config.folder)
            return served(
                ShardedIndex(folder, config.policy, own_shards=config.own_shards)
            )
        except IndexBusy:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


if __name__ == "__main__":
    serve(sys.argv[1:], ShardsConfig, _open)
