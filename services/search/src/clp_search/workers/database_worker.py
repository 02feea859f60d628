"""A worker process that searches and writes an index in PostgreSQL.

It has a connection of its own, and analyses, matches and highlights beside the service.
"""

import sys
from collections.abc import Sequence

from clp_search.engine import Document
from clp_search.postgres.engine import PostgresIndex, open_index
from clp_search.snippets import highlight_slice
from clp_search.workers.configs import DatabaseConfig
from clp_search.workers.protocol import (
    APPLY,
    CLOSE,
    CURSOR,
    FLUSH,
    HIGHLIGHT,
    MAINTAIN,
    SEARCH,
    SIZE,
    VERIFY,
)
from clp_search.workers.server import ServedIndex, serve


def served(index: PostgresIndex) -> ServedIndex:
    """Return what a worker serves of an index that needs no flushes."""

    def apply(documents: Sequence[Document], after: int, upto: int) -> None:
        index.apply(documents, after=after, upto=upto)

    return ServedIndex(
        methods={
            APPLY: apply,
            CURSOR: index.cursor,
            SEARCH: index.search,
            VERIFY: index.verify,
            HIGHLIGHT: highlight_slice,
            MAINTAIN: index.maintain,
            FLUSH: lambda: False,
            SIZE: index.size,
            CLOSE: index.checkpoint,
        },
        cursors=dict,
        step=lambda: False,
        close=index.close,
    )


def _open(config: DatabaseConfig) -> ServedIndex:
    return served(open_index(config.url, generation=config.generation))


if __name__ == "__main__":
    serve(sys.argv[1:], DatabaseConfig, _open)
