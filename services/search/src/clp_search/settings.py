"""Settings of `search`."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Final

from clp_chassis.setting_kinds import SECONDS, between, url
from clp_chassis.settings import AccessLease, ProcessSettings, Setting
from clp_contracts.facts_cache import LEASE_S

ENGINE: Final = url(
    "postgresql+psycopg", form="postgresql+psycopg://USER:PASSWORD@HOST/DATABASE"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(ProcessSettings):
    """Settings from ``CLP_SEARCH_…``, or ``CLP_…`` for those of every process."""

    database_setting: ClassVar[str] = "engine_url"

    data_dir: Annotated[
        str, Setting("the folder of the index and its dead letters, of one process")
    ]
    engine_url: Annotated[
        str,
        Setting(
            "a database for an index that search processes share; empty: a folder",
            ENGINE,
            is_secret=True,
        ),
    ] = ""
    secret: Annotated[
        str,
        Setting(
            "authenticates page cursors, the same for processes that serve the same"
            " calls; empty: a new one at each start",
            is_secret=True,
        ),
    ] = ""
    access_lease_s: AccessLease = LEASE_S
    workers: Annotated[
        int,
        Setting(
            "processes that search and index; 0: this one, and calls wait for each"
            " other",
            between(0, 256),
        ),
    ] = 2
    shards: Annotated[
        int,
        Setting(
            "shards of the index, 64 beyond four million messages; another number"
            " rebuilds it beside the one that serves",
            between(1, 1024),
        ),
    ] = 16
    flush_docs: Annotated[
        int, Setting("messages that a shard buffers before a flush", between(1))
    ] = 200
    flush_after_s: Annotated[
        float, Setting("the longest time before a flush", SECONDS, "s")
    ] = 5.0
    max_merge_docs: Annotated[
        int, Setting("messages in the largest segment that a merge writes", between(1))
    ] = 20_000
