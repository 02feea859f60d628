"""Cost of row-level security in PostgreSQL: ``python -m bench.row_security``.

Two databases with the same messages, both read and written by the role that serves; in
one of them each row is visible only to its partner and the studio, as the transaction
says. A post and a page in the middle of the long channel are timed in turn on both,
through the use cases of `messages`, without a broker. The setting costs a statement for
each transaction or reading session, and the policy a condition for each row.
"""

import itertools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Final

import clp_chassis.concurrency.monkey_patch  # noqa: F401 - before all that talks to anybody

from clp_suite.server_process import server_directory  # isort: skip
from sqlalchemy import text
from sqlalchemy.orm import Session
from typing_extensions import override

from bench.messages_reading import LONG, LongConversation, took_ms
from clp_chassis.persistence.database import Database
from clp_contracts.messages import PostMessage
from clp_messages.use_cases.posting import post_message
from clp_suite.servers import PrivatePostgres
from tests.support.command_line import command_parser

MESSAGES: Final = 100_000
ROUNDS: Final = 7
CALLS: Final = 60
# The name of a channel says whom its rows are for; the partner stands in a column, which
# is as cheap as a condition can be, and the setting is read once for each statement.
POLICY: Final = """
alter table {table} add column partner text
  generated always as (split_part(channel, '/', 3)) stored;
alter table {table} enable row level security;
alter table {table} force row level security;
create policy of_partner on {table} using (
  partner = '' or partner = (select current_setting('clp.partner', true))
  or (select current_setting('clp.partner', true)) = ''
);
analyze {table};
"""
SECURED: Final = ("messages", "read_markers")
SET_PARTNER: Final = text("select set_config('clp.partner', :partner, false)")


class SecuredDatabase(Database):
    """A database that tells each transaction whom its rows are for."""

    @override
    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Open a session that only reads the rows of a partner."""
        with super().reading() as session:
            session.execute(SET_PARTNER, {"partner": "north"})
            yield session

    @override
    @contextmanager
    def writing(
        self, *, notify: bool = True, at_once: bool = False
    ) -> Iterator[Session]:
        """Open a transaction on the rows of a partner."""
        with super().writing(notify=notify, at_once=at_once) as session:
            session.execute(SET_PARTNER, {"partner": "north"})
            yield session


def calls_of(
    conversation: LongConversation, database: Database
) -> dict[str, Callable[[], object]]:
    """Return what is timed, with the database of the role that serves."""
    conversation.deps = replace(conversation.deps, database=database)
    keys = itertools.count()

    def post() -> object:
        request = PostMessage(
            channel=LONG, text="See scene four.", key=f"b{next(keys)}"
        )
        return post_message(request, actor=conversation.actor, deps=conversation.deps)

    return {"post": post, "page": lambda: conversation.page(MESSAGES // 4)}


def prepared(
    postgres: PrivatePostgres, name: str, folder: Path
) -> dict[str, Callable[[], object]]:
    """Create and fill a database, secured if that is its name."""
    conversation = LongConversation(postgres.create_database(name), folder, MESSAGES)
    serving = postgres.access.serving_url(name)
    if name == "plain":
        return calls_of(conversation, Database(serving))
    with conversation.database.engine.begin() as connection:
        for table in SECURED:
            connection.execute(text(POLICY.format(table=table)))
    database = SecuredDatabase(serving)
    require_hidden(database)
    return calls_of(conversation, database)


def require_hidden(database: Database) -> None:
    """Fail unless the policy holds for the role that serves."""
    count = text("select count(*) from messages")
    with database.reading() as session:
        session.execute(SET_PARTNER, {"partner": "south"})
        south = session.scalar(count)
        session.execute(SET_PARTNER, {"partner": "north"})
        assert south < session.scalar(count), "the policy hides nothing"


def main() -> None:
    """Measure in turn, and print medians and their ratio."""
    command_parser().parse_args()
    with (
        server_directory() as folder,
        PrivatePostgres(folder / "postgres") as postgres,
    ):
        kinds = {
            name: prepared(postgres, name, folder) for name in ("plain", "secured")
        }
        found: dict[tuple[str, str], list[float]] = {}
        for round_ in range(ROUNDS + 1):
            for name, calls in kinds.items():
                for what, call in calls.items():
                    times = [took_ms(call) for _ in range(CALLS)]
                    if round_:  # the first one warms caches and connections
                        found.setdefault((what, name), []).append(median(times))
    for what in ("post", "page"):
        plain, secured = (median(found[what, name]) for name in ("plain", "secured"))
        ratios = [b / a for a, b in zip(*(found[what, n] for n in kinds), strict=True)]
        _ = sys.stdout.write(
            f"{what}: {plain:.2f} ms, secured {secured:.2f} ms, "
            f"ratio {median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})\n"
        )


if __name__ == "__main__":
    main()
