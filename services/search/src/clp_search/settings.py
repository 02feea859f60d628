"""Settings of `search`."""

from dataclasses import dataclass

from clp_chassis.settings import ProcessSettings
from clp_contracts.facts_cache import LEASE_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(ProcessSettings):
    """Read from ``CLP_SEARCH_…``, or ``CLP_…`` where services share a value.

    ``engine_url`` selects the engine: empty for a folder of this process, or
    ``postgresql+psycopg://…`` for a database that search processes share. ``data_dir``
    belongs to one process. ``secret`` authenticates page cursors; replicas share it,
    and without it each start makes a new one. ``workers`` is the number of processes
    that search and index; with 0 this process does the work itself, and calls wait for
    each other. More ``shards`` speed up large installations; changing the number
    rebuilds the index beside the one that serves. ``flush_docs``, ``flush_after_s`` and
    ``max_merge_docs`` bound the buffer of a shard and the size of merged segments.
    """

    engine_url: str = ""
    data_dir: str = "index"
    secret: str = ""
    # Seconds for which facts about access are leased; its end may wait so long.
    access_lease_s: float = LEASE_S
    workers: int = 2
    shards: int = 16
    flush_docs: int = 200
    flush_after_s: float = 5.0
    max_merge_docs: int = 20_000
