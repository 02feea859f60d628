"""How fast a long conversation is read: unread numbers and pages over a million messages.

The rows are written straight into the tables of `messages`, as `post` would have left
them; then the use cases read them, on PostgreSQL or SQLite, without a broker between.
"""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median, quantiles
from typing import Final, cast

from sqlalchemy import bindparam, text

from clp_chassis.persistence.column_types import Instant
from clp_chassis.persistence.database import Database, migrate
from clp_chassis.security.passports import Passport
from clp_contracts.client import Callers
from clp_contracts.facts_cache import KnownFacts
from clp_contracts.messages import AskPage, AskUnread
from clp_contracts.methods import PassportKind
from clp_messages.dependencies import Parts
from clp_messages.storage import FolderStore
from clp_messages.use_cases import history, unread
from tests.services.messages.fakes import FakeCallers

MILLION: Final = 1_000_000
PROJECTS: Final = 200
# The long channel; the other half million is spread over the projects.
LONG: Final = "q0/direct/north"
ROUNDS: Final = 60
# p95 needs enough of them to be one.
UNREADS: Final = 100
START: Final = datetime(2026, 1, 1, tzinfo=UTC)
WORDS: Final = "The second reel is in; please look at the whistle in scene four. "

# How each database counts, and how it makes an id that tells no order.
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
  author_side, author_number, text, posted_at, deleted_at, retry_key, content_hash,
  outcomes)
select {id}, :channel, :project, number, 1,
  case number % 4 when 0 then 'nat' when 2 then 'ian' else 'ivy' end, 'Somebody',
  'internal',
  case number % 4 when 0 then number / 4 when 2 then (number + 2) / 4
    else (number + 1) / 2 end,
  :text, :at, case when number % 100 = 0 then :at end, 'k' || number, '', '[]'
from ({numbers}) as counted
"""


class House:
    """Two hundred followed projects with a million messages of three authors."""

    def __init__(self, url: str, folder: Path, messages: int) -> None:
        migrate(url, "clp_messages")
        self.database = Database(url)
        callers = FakeCallers()
        self.projects = [f"q{number}" for number in range(PROJECTS)]
        for project in self.projects:
            callers.projects.put_project(project, ["north", "south"])
        asked = cast("Callers", callers)
        self.parts = Parts(
            database=self.database,
            files=FolderStore(folder),
            callers=asked,
            known=KnownFacts(asked.projects),
            clock=lambda: START,
        )
        self.actor = Passport("nat", PassportKind.PERSON, START + timedelta(days=1))
        self.long = messages // 2
        self._fill(messages)

    def _fill(self, messages: int) -> None:
        each = messages // 2 // (2 * PROJECTS)
        channels = {LONG: self.long}
        for project in self.projects:
            for name in (f"{project}/broadcast", f"{project}/direct/north"):
                channels.setdefault(name, each)
        dialect = self.database.engine.dialect.name
        fill = MESSAGES.format(id=IDS[dialect], numbers=NUMBERS[dialect])
        for channel, last in channels.items():
            about = {"channel": channel, "project": channel.partition("/")[0]}
            with self.database.writing(tell=False) as session:
                session.execute(
                    text("insert into channels values (:channel, :project, :last)"),
                    about | {"last": last},
                )
                session.execute(
                    text(fill).bindparams(bindparam("at", type_=Instant)),
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
        """The numbers of all projects, in one call."""
        ask = AskUnread(projects=tuple(self.projects))
        return unread.unread(ask, actor=self.actor, parts=self.parts)

    def page(self, around: int) -> object:
        """A page of fifty in the long channel."""
        ask = AskPage(channel=LONG, around=around)
        return history.page(ask, actor=self.actor, parts=self.parts)


def took_ms(call: Callable[[], object]) -> float:
    """How long a call takes, in milliseconds."""
    begun = time.perf_counter()
    call()
    return 1000 * (time.perf_counter() - begun)


def measure(url: str, folder: Path, messages: int = MILLION) -> Iterator[str]:
    """Fill a database and read it; give the lines of the table."""
    house = House(url, folder, messages)
    house.unread()
    unreads = [took_ms(house.unread) for _ in range(UNREADS)]
    yield (
        f"unread of {PROJECTS} projects over {messages:,} messages: "
        f"p50 {median(unreads):.1f} ms, p95 {quantiles(unreads, n=20)[-1]:.1f} ms"
    )
    places = {"end": house.long, "middle": house.long // 2}
    found: dict[str, list[float]] = {name: [] for name in places}
    for _ in range(ROUNDS):
        for name, number in places.items():
            found[name].append(took_ms(lambda n=number: house.page(n)))  # type: ignore[misc]
    end, middle = median(found["end"]), median(found["middle"])
    yield (
        f"page in a channel of {house.long:,}: end {end:.2f} ms, middle {middle:.2f} ms, "
        f"{middle / end:.2f} of the end"
    )
    house.database.close()
