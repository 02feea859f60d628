"""The entrypoints of `search`: decode, call, encode."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from clp_chassis.assembly import Parts as PartsOfProcess
from clp_chassis.assembly import Process, Surroundings, configured, parts_of
from clp_chassis.broker_edge import on_events_everywhere
from clp_chassis.chores import Chore
from clp_chassis.clock import new_id
from clp_chassis.feed_reader import FeedReader, Reading
from clp_chassis.passports import Passport
from clp_chassis.serving import CallContext, serves
from clp_contracts import events, feed
from clp_contracts import messages as messages_contract
from clp_contracts import search as contract
from clp_contracts.shapes import Nothing
from clp_search.engine import Engine
from clp_search.gauges import watched
from clp_search.index.shard import Writing
from clp_search.index.sharded import Limits, ShardedIndex
from clp_search.page_cursors import PageCursors
from clp_search.parts import Parts
from clp_search.postgres.engine import open_index
from clp_search.projection import MessagesProjection
from clp_search.settings import Settings
from clp_search.use_cases import finding, telling

TIDY_EVERY_S: Final = 1.0


def _messages(container: Any) -> Reading:
    parts: Parts = parts_of(container)
    return Reading(
        reader=telling.READER,
        source=messages_contract.SERVICE,
        fetch=parts.projection.fetch,
        projection=parts.projection,
    )


def _tidying(container: Any) -> Callable[[], object]:
    parts: Parts = parts_of(container)
    return parts.projection.tidy


class SearchService:
    """Finds messages in an index of this process's own."""

    name = contract.SERVICE
    parts = PartsOfProcess()
    call_facts = CallContext()
    reader = FeedReader(_messages)
    tidying = Chore(_tidying, TIDY_EVERY_S)

    @serves(contract.FIND)
    def find(self, ask: contract.AskFind, passport: Passport) -> contract.Found:
        return finding.find(ask, actor=passport.subject, parts=self.parts)

    @serves(contract.STATUS)
    def status(self, _ask: Nothing, _: Passport) -> contract.Status:
        return telling.status(parts=self.parts)

    @serves(contract.PROGRESS)
    def progress(self, _ask: Nothing, _: Passport) -> feed.Progress:
        return telling.progress(parts=self.parts)

    @on_events_everywhere(messages_contract.SERVICE, *events.OF_MESSAGES)
    def on_messages_changed(self, _body: object) -> None:
        self.reader.wake()


def build(settings: Settings, surroundings: Surroundings) -> Process:
    """Put the process together; its index is opened, or begun."""
    folder = Path(settings.data_dir)
    engine = engine_of(settings)
    callers = surroundings.callers()
    parts = Parts(
        engine=engine,
        projection=MessagesProjection(
            engine, callers, clock=surroundings.clock, folder=folder
        ),
        callers=callers,
        cursors=PageCursors(settings.secret or new_id()),
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


def engine_of(settings: Settings) -> Engine:
    """The index of this process's own, or the one in a database that many share."""
    if settings.engine_url:
        # What it notes for operators is still noted in the folder.
        Path(settings.data_dir).mkdir(parents=True, exist_ok=True)
        return open_index(settings.engine_url)
    return ShardedIndex(
        Path(settings.data_dir),
        Limits(
            shards=settings.shards,
            flush_at=settings.flush_at,
            flush_after=timedelta(seconds=settings.flush_after_s),
            writing=Writing(smallest=settings.flush_at, most=settings.largest_merge),
        ),
    )
