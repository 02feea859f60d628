"""The configuration of a worker; sent over its socket, never shown by `ps`."""

from dataclasses import dataclass
from typing import ClassVar

from clp_search.index.sharded_index import FlushPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardsConfig:
    """The shards that a worker owns in a generation's folder."""

    module: ClassVar[str] = "clp_search.workers.shards_worker"

    folder: str
    policy: FlushPolicy
    own_shards: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseConfig:
    """The database of a shared index, and a generation of documents in it."""

    module: ClassVar[str] = "clp_search.workers.database_worker"

    url: str
    generation: str


WorkerConfig = ShardsConfig | DatabaseConfig
