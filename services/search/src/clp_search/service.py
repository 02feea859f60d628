"""The entrypoints of `search`: decode, call, encode."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from clp_chassis.bootstrap import Parts as PartsOfProcess
from clp_chassis.bootstrap import Process, Surroundings, configured, parts_of
from clp_chassis.clock import new_id
from clp_chassis.concurrency.periodic import Chore
from clp_chassis.events.feed_reader import FeedReader, Reading
from clp_chassis.messaging import on_events_everywhere
from clp_chassis.rpc import CallContext, serves
from clp_chassis.security.passports import Passport
from clp_contracts import events, feed
from clp_contracts import messages as messages_contract
from clp_contracts import projects as projects_contract
from clp_contracts import search as contract
from clp_contracts.facts_cache import KnownFacts
from clp_contracts.serialization import Nothing
from clp_search.dependencies import Parts
from clp_search.engine import Engine
from clp_search.gauges import watched
from clp_search.index.generations import Generation
from clp_search.index.live_index import Opener, ServingIndex, Use
from clp_search.index.shard import Writing
from clp_search.index.sharded_index import Limits, ShardedIndex, building
from clp_search.page_cursors import PageCursors
from clp_search.postgres.engine import open_index
from clp_search.projection import MessagesProjection
from clp_search.rebuild import Rebuilding
from clp_search.settings import Settings
from clp_search.use_cases import find, status
from clp_search.workers.remote_engine import WorkerIndex

TIDY_EVERY_S: Final = 1.0
REBUILD_EVERY_S: Final = 0.25


def _messages(container: Any) -> Reading:
    parts: Parts = parts_of(container)
    return Reading(
        reader=status.READER,
        source=messages_contract.SERVICE,
        fetch=parts.projection.fetch,
        projection=parts.projection,
    )


def _tidying(container: Any) -> Callable[[], object]:
    parts: Parts = parts_of(container)
    return parts.projection.tidy


def _rebuilding(container: Any) -> Callable[[], object]:
    parts: Parts = parts_of(container)
    return parts.rebuilding.work if parts.rebuilding else lambda: None


class SearchService:
    """Finds messages in an index of this process's own."""

    name = contract.SERVICE
    parts = PartsOfProcess()
    call_facts = CallContext()
    reader = FeedReader(_messages)
    tidying = Chore(_tidying, TIDY_EVERY_S)
    rebuilding = Chore(_rebuilding, REBUILD_EVERY_S)

    @serves(contract.FIND)
    def find(self, ask: contract.AskFind, passport: Passport) -> contract.Found:
        return find.find(ask, actor=passport.subject, parts=self.parts)

    @serves(contract.STATUS)
    def status(self, _ask: Nothing, _: Passport) -> contract.Status:
        return status.status(parts=self.parts)

    @serves(contract.PROGRESS)
    def progress(self, _ask: Nothing, _: Passport) -> feed.Progress:
        return status.progress(parts=self.parts)

    @on_events_everywhere(messages_contract.SERVICE, *events.OF_MESSAGES)
    def on_messages_changed(self, _body: object) -> None:
        self.reader.wake()

    @on_events_everywhere(projects_contract.SERVICE, *events.OF_PROJECTS)
    def on_projects_changed(self, body: Any) -> None:
        self.parts.known.drop(body)


def build(settings: Settings, surroundings: Surroundings) -> Process:
    """Put the process together; its index is opened, or begun."""
    folder = Path(settings.data_dir)
    folder.mkdir(parents=True, exist_ok=True)
    callers = surroundings.callers()

    def projection_of(engine: Engine) -> MessagesProjection:
        clock = surroundings.clock
        return MessagesProjection(engine, callers, clock=clock, folder=folder)

    engine, rebuilding = _engine(settings, projection_of)
    parts = Parts(
        engine=engine,
        projection=projection_of(engine),
        callers=callers,
        known=KnownFacts(callers.projects),
        cursors=PageCursors(settings.secret or new_id()),
        rebuilding=rebuilding,
    )

    def close() -> None:
        engine.close()
        callers.close()

    return Process(
        services=(SearchService,),
        config=configured(surroundings, parts),
        close=close,
        watched=watched(parts),
    )


def _engine(
    settings: Settings, projection_of: Callable[[Engine], MessagesProjection]
) -> tuple[Engine, Rebuilding | None]:
    """The index in a database that many share, or the one in this process's folder.

    Only the latter is built anew on demand: in the database, a version that reads texts
    in another way builds its own generation beside the others.
    """
    if settings.engine_url:
        return open_index(settings.engine_url), None
    folder = Path(settings.data_dir)
    index = ServingIndex(folder, shards=settings.shards, opener=_opener(settings))
    return index, Rebuilding(index, projection_of, folder=folder)


def _opener(settings: Settings) -> Opener:
    """How a generation of the index is opened: by worker processes, or in this one."""
    serving = Limits(
        flush_at=settings.flush_at,
        flush_after=timedelta(seconds=settings.flush_after_s),
        writing=Writing(smallest=settings.flush_at, most=settings.largest_merge),
    )

    def opened(generation: Generation, use: Use) -> Engine:
        shards = generation.shards
        built = use is Use.BUILD
        limits = building(shards) if built else serving.of(generation)
        if settings.workers == 0:
            return ShardedIndex(generation.folder, limits)
        return WorkerIndex(generation, limits, workers=settings.workers)

    return opened
