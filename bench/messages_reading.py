"""Time unread counts and pages over a million messages.

The rows are written straight into the tables of `messages`, as `post` would leave them;
then the use cases read them, on PostgreSQL or SQLite, without a broker.
"""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING, Final, cast

from sqlalchemy import bindparam, text

from clp_chassis.persistence.column_types import UtcDateTime
from clp_chassis.persistence.database import Database, migrate
from clp_chassis.security.passports import Passport
from clp_contracts.facts_cache import FactsCache
from clp_contracts.messages import GetPage, GetUnread
from clp_contracts.methods import PassportKind
from clp_messages.dependencies import Dependencies
from clp_messages.storage import LocalFileStore
from clp_messages.use_cases import history, unread
from tests.services.messages.fakes import FakeClients

if TYPE_CHECKING:
    from clp_contracts.client import Clients

MILLION: Final = 1_000_000
PROJECTS: Final = 200
PLACES: Final = ("broadcast", "direct/north")
# Few of the projects that somebody follows have news at a time.
UNREAD_PROJECTS: Final = 20
# The long channel; the other half million is spread over the projects.
LONG: Final = "q0/direct/north"
ROUNDS: Final = 60
# Enough for a 95th percentile.
UNREADS: Final = 100
START: Final = datetime(2026, 1, 1, tzinfo=UTC)
WORDS: Final = "The second reel is in; please look at the whistle in scene four. "

# How each database generates series, and ids without an order.
NUMBERS: Final = {
    "postgresql": "select generate_series(1, cast(:last as integer)) as number",
    "sqlite": "with recursive n(number) as (select 1 union all "
    "select number + 1 from n where number < :last) select number from n",
}
IDS: Final = {
    "postgresql": "md5(cast(:channel as text) || number)",
    "sqlite": "lower(hex(randomblob(16)))",
}
# Of four messages nat writes one, ian one and ivy two; one in a hundred is deleted.
MESSAGES: Final = """
insert into messages (id, channel, project, number, revision, author, author_name,
  author_side, author_number, text, marks, posted_at, deleted_at, idempotency_key,
  content_hash, outcomes)
select {id}, :channel, :project, number, 1,
  case number % 4 when 0 then 'nat' when 2 then 'ian' else 'ivy' end, 'Somebody',
  'internal',
  case number % 4 when 0 then number / 4 when 2 then (number + 2) / 4
    else (number + 1) / 2 end,
  :text, '[]', :at, case when number % 100 = 0 then :at end, 'k' || number, '', '[]'
from ({numbers}) as counted
"""


class LongConversation:
    """Two hundred followed projects with a million messages of three authors."""

    def __init__(self, url: str, folder: Path, messages: int) -> None:
        migrate(url, "clp_messages")
        self.database = Database(url)
        fakes = FakeClients()
        self.projects = [f"q{number}" for number in range(PROJECTS)]
        for project in self.projects:
            fakes.projects.put_project(project, ["north", "south"])
        clients = cast("Clients", fakes)
        self.deps = Dependencies(
            database=self.database,
            files=LocalFileStore(folder),
            clients=clients,
            facts=FactsCache(clients.projects),
            clock=lambda: START,
        )
        self.actor = Passport("nat", PassportKind.PERSON, START + timedelta(days=1))
        self.long = messages // 2
        self._fill(messages)

    def _fill(self, messages: int) -> None:
        each = messages // 2 // (2 * PROJECTS)
        channels = {LONG: self.long}
        for project in self.projects:
            for place in PLACES:
                channels.setdefault(f"{project}/{place}", each)
        dialect = self.database.engine.dialect.name
        fill = MESSAGES.format(id=IDS[dialect], numbers=NUMBERS[dialect])
        for channel, last in channels.items():
            about = {"channel": channel, "project": channel.partition("/")[0]}
            with self.database.writing(notify=False) as session:
                session.execute(
                    text("insert into channels values (:channel, :project, :last)"),
                    about | {"last": last},
                )
                session.execute(
                    text(fill).bindparams(bindparam("at", type_=UtcDateTime)),
                    about | {"last": last, "text": WORDS, "at": START},
                )
                session.execute(
                    text("insert into read_markers values ('nat', :channel, :read)"),
                    {"channel": channel, "read": last // 2},
                )
        with self.database.engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").execute(
                text("analyze")
            )

    def unread(self) -> object:
        """Count the unread messages of all projects, in one call."""
        request = GetUnread(projects=tuple(self.projects))
        return unread.unread(request, actor=self.actor, deps=self.deps)

    def read_to_the_end(self, projects: int) -> None:
        """Move the markers in the last projects to the ends of their channels."""
        read = self.projects[-projects:]
        names = [f"{one}/{place}" for one in read for place in PLACES]
        with self.database.writing(notify=False) as session:
            session.execute(
                text(
                    "update read_markers set number = (select last_number from channels"
                    " where name = channel) where channel = :name"
                ),
                [{"name": name} for name in names],
            )

    def page(self, around: int) -> object:
        """Read a page of fifty in the long channel."""
        request = GetPage(channel=LONG, around=around)
        return history.page(request, actor=self.actor, deps=self.deps)


def took_ms(call: Callable[[], object]) -> float:
    """Return the milliseconds of a call."""
    begun = time.perf_counter()
    call()
    return 1000 * (time.perf_counter() - begun)


def _unread_line(conversation: LongConversation, what: str) -> str:
    conversation.unread()
    unreads = [took_ms(conversation.unread) for _ in range(UNREADS)]
    return (
        f"unread of {PROJECTS} projects, {what}: p50 {median(unreads):.1f} ms, "
        f"p95 {quantiles(unreads, n=20)[-1]:.1f} ms, least {min(unreads):.1f} ms"
    )


def measure(url: str, folder: Path, messages: int = MILLION) -> Iterator[str]:
    """Fill a database and read it; return the lines of the table."""
    conversation = LongConversation(url, folder, messages)
    yield _unread_line(conversation, f"all unread, of {messages:,} messages")
    conversation.read_to_the_end(PROJECTS - UNREAD_PROJECTS)
    yield _unread_line(conversation, f"{UNREAD_PROJECTS} of them unread")
    places = {"end": conversation.long, "middle": conversation.long // 2}
    found: dict[str, list[float]] = {name: [] for name in places}
    for _ in range(ROUNDS):
        for name, number in places.items():
            found[name].append(took_ms(lambda n=number: conversation.page(n)))  # type: ignore[misc]
    end, middle = median(found["end"]), median(found["middle"])
    yield (
        f"page in a channel of {conversation.long:,}: end {end:.2f} ms, middle {middle:.2f} ms, "
        f"{middle / end:.2f} of the end"
    )
    conversation.database.close()
