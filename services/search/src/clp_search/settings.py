"""What an operator sets for `search`."""

from dataclasses import dataclass

from clp_chassis.settings import ProcessSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(ProcessSettings):
    """Read from ``CLP_SEARCH_…``, or ``CLP_…`` where services share a value.

    ``engine_url`` chooses where the index is: empty, it is a folder of this process;
    ``postgresql+psycopg://…`` is a database that search processes share.
    ``data_dir`` is this process's own: two never share an index. ``secret`` seals page
    cursors; processes that answer the same calls share it, and without one each makes
    its own at start. So many ``workers`` search and index in processes of their own, as
    many as there are cores to spare; with 0 this process does it itself, and calls wait
    for each other. More ``shards`` make large installations faster; another number
    builds the index anew, beside the one that serves.
    """

    engine_url: str = ""
    data_dir: str = "index"
    secret: str = ""
    workers: int = 2
    shards: int = 16
    flush_at: int = 200
    flush_after_s: float = 5.0
    largest_merge: int = 20_000
