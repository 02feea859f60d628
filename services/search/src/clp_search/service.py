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
from clp_contracts import projects as projects_contract
from clp_contracts import search as contract
from clp_contracts.known_facts import KnownFacts
from clp_contracts.shapes import Nothing
from clp_search.gauges import watched
from clp_search.index.shard import Writing
from clp_search.index.sharded import Limits, ShardedIndex
from clp_search.page_cursors import PageCursors
from clp_search.parts import Parts
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

    @on_events_everywhere(projects_contract.SERVICE, *events.OF_PROJECTS)
    def on_projects_changed(self, body: Any) -> None:
        self.parts.known.drop(body)


def build(settings: Settings, surroundings: Surroundings) -> Process:
    """Put the process together; its index is opened, or begun."""
    folder = Path(settings.data_dir)
    engine = ShardedIndex(
        folder,
        Limits(
            shards=settings.shards,
            flush_at=settings.flush_at,
            flush_after=timedelta(seconds=settings.flush_after_s),
            writing=Writing(smallest=settings.flush_at, most=settings.largest_merge),
        ),
    )
    callers = surroundings.callers()
    parts = Parts(
        engine=engine,
        projection=MessagesProjection(
            engine, callers, clock=surroundings.clock, folder=folder
        ),
        callers=callers,
        known=KnownFacts(callers.projects),
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
