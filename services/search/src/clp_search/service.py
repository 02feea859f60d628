"""The entrypoints of `search`: decode, call, encode."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import eventlet

from clp_chassis.bootstrap import (
    DependenciesProvider,
    Process,
    ProcessContext,
    container_config,
    dependencies_of,
    partner_group_of,
)
from clp_chassis.clock import new_id
from clp_chassis.concurrency.periodic import PeriodicTask
from clp_chassis.events.feed_reader import FeedReader, FeedSubscription
from clp_chassis.messaging import on_broadcast_events
from clp_chassis.observability import Check
from clp_chassis.reachability import require_database, require_folder
from clp_chassis.rpc import CallContext, rpc_method
from clp_chassis.security.passports import Passport
from clp_contracts import events, feed
from clp_contracts import messages as messages_contract
from clp_contracts import projects as projects_contract
from clp_contracts import search as contract
from clp_contracts.facts_cache import FactsCache
from clp_contracts.serialization import Empty
from clp_search.dependencies import Dependencies
from clp_search.engine import Engine
from clp_search.gauges import probes
from clp_search.index.generations import Generation
from clp_search.index.live_index import LiveIndex, Opener, Use
from clp_search.index.shard import MergePolicy
from clp_search.index.sharded_index import FlushPolicy, ShardedIndex, bulk_policy
from clp_search.page_cursors import PageCursors
from clp_search.postgres.engine import open_index
from clp_search.projection import MessagesProjection
from clp_search.rebuild import IndexRebuild
from clp_search.search_slots import SearchSlots
from clp_search.settings import Settings
from clp_search.use_cases import find, status
from clp_search.workers.remote_database import RemoteDatabase
from clp_search.workers.remote_engine import RemoteEngine

OPERATIONS: Final = ("operations",)
MAINTENANCE_INTERVAL_S: Final = 1.0
REBUILD_INTERVAL_S: Final = 0.25


def _messages(container: Any) -> FeedSubscription:
    deps: Dependencies = dependencies_of(container)
    return FeedSubscription(
        reader=status.READER,
        source=messages_contract.SERVICE,
        fetch=deps.projection.fetch,
        projection=deps.projection,
    )


def _maintenance(container: Any) -> Callable[[], object]:
    deps: Dependencies = dependencies_of(container)
    return deps.projection.maintain


def _rebuild(container: Any) -> Callable[[], object]:
    deps: Dependencies = dependencies_of(container)
    return deps.rebuild.work if deps.rebuild else lambda: None


class SearchService:
    """Searches messages in an index of its own."""

    name = contract.SERVICE
    deps = DependenciesProvider()
    call_info = CallContext(partner_group_of)
    reader = FeedReader(_messages)
    maintenance = PeriodicTask(_maintenance, MAINTENANCE_INTERVAL_S)
    rebuild = PeriodicTask(_rebuild, REBUILD_INTERVAL_S)

    @rpc_method(contract.FIND)
    def find(
        self, request: contract.FindMessages, passport: Passport
    ) -> contract.SearchPage:
        return find.find(request, actor=passport.subject, deps=self.deps)

    @rpc_method(contract.STATUS, subjects=OPERATIONS)
    def status(self, _request: Empty, _: Passport) -> contract.Status:
        return status.status(deps=self.deps)

    @rpc_method(contract.PROGRESS, subjects=OPERATIONS)
    def progress(self, _request: Empty, _: Passport) -> feed.Progress:
        return replace(status.progress(deps=self.deps), signs=self.reader.signs())

    @on_broadcast_events(messages_contract.SERVICE, *events.OF_MESSAGES, wakes=True)
    def on_messages_changed(self, _body: object) -> None:
        self.reader.wake()

    @on_broadcast_events(projects_contract.SERVICE, *events.OF_PROJECTS)
    def on_projects_changed(self, body: Any) -> None:
        self.deps.facts.invalidate(body)


def reach(settings: Settings) -> dict[str, Check]:
    """Checks of ``--check``: the folder, and the database of a shared index."""
    checks: dict[str, Check] = {
        "data_dir": lambda: require_folder(Path(settings.data_dir))
    }
    if settings.engine_url:
        checks["engine_url"] = lambda: require_database(settings.engine_url)
    return checks


def build(settings: Settings, context: ProcessContext) -> Process:
    """Wire the process, and open or create its index."""
    folder = Path(settings.data_dir)
    folder.mkdir(parents=True, exist_ok=True)
    clients = context.clients()

    def projection_of(engine: Engine) -> MessagesProjection:
        clock = context.clock
        return MessagesProjection(engine, clients, clock=clock, folder=folder)

    engine, rebuild = _engine(settings, projection_of)
    deps = Dependencies(
        engine=engine,
        projection=projection_of(engine),
        clients=clients,
        facts=FactsCache(
            clients.projects, lease_s=settings.access_lease_s, spawn=eventlet.spawn_n
        ),
        cursors=PageCursors(settings.secret or new_id()),
        # As many as run at the same time: the others would only wait.
        search_slots=SearchSlots(max(1, settings.workers)),
        rebuild=rebuild,
    )

    def close() -> None:
        engine.close()
        clients.close()

    return Process(
        services=(SearchService,),
        config=container_config(context, deps),
        close=close,
        probes=probes(deps),
    )


def _engine(
    settings: Settings, projection_of: Callable[[Engine], MessagesProjection]
) -> tuple[Engine, IndexRebuild | None]:
    """Open the shared database index, or the index in this process's folder.

    Only the latter is rebuilt on request: in the database, a version with another
    analysis builds a generation of its own beside the others.
    """
    if settings.engine_url:
        return _database_engine(settings), None
    folder = Path(settings.data_dir)
    index = LiveIndex(folder, shards=settings.shards, opener=_engine_opener(settings))
    return index, IndexRebuild(index, projection_of, folder=folder)


def _database_engine(settings: Settings) -> Engine:
    if settings.workers == 0:
        return open_index(settings.engine_url)
    return RemoteDatabase(settings.engine_url, workers=settings.workers)


def _engine_opener(settings: Settings) -> Opener:
    """Return the function that opens a generation, in workers or in this process."""
    serving = FlushPolicy(
        flush_docs=settings.flush_docs,
        flush_after=timedelta(seconds=settings.flush_after_s),
        merge_policy=MergePolicy(
            floor_docs=settings.flush_docs, max_merge_docs=settings.max_merge_docs
        ),
    )

    def open_engine(generation: Generation, use: Use) -> Engine:
        shards = generation.shards
        built = use is Use.BUILD
        policy = bulk_policy(shards) if built else serving.of(generation)
        if settings.workers == 0:
            return ShardedIndex(generation.folder, policy)
        return RemoteEngine(generation, policy, workers=settings.workers)

    return open_engine
