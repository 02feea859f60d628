"""The index in PostgreSQL: shared by processes, each at any step of an update."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import eventlet
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import DataError

from clp_chassis.bootstrap import ProcessContext
from clp_chassis.persistence.database import migrate
from clp_chassis.transient_errors import is_transient
from clp_deploy.keys import write_keys
from clp_search.dependencies import Dependencies
from clp_search.engine import Engine, EngineUnavailable
from clp_search.index.live_index import LiveIndex
from clp_search.postgres import engine as engine_module
from clp_search.postgres.engine import PostgresIndex, open_index
from clp_search.service import build
from clp_search.settings import Settings
from clp_search.tables import METADATA
from clp_search.use_cases.status import progress, status
from clp_search.workers.remote_database import RemoteDatabase
from clp_suite.server_access import DatabaseAccess
from tests.services.search.query_helpers import (
    dependencies_with,
    refusal_of,
    sample_neighbours,
)
from tests.services.search.scenario import (
    BROADCAST,
    START,
    DatabaseHarness,
    apply_to,
    deleted,
    document,
    edited,
    search_ids,
)

pytestmark = pytest.mark.broker
COPIES = 4


@pytest.fixture
def index(database_harness: DatabaseHarness) -> Iterator[PostgresIndex]:
    with database_harness.emptied() as opened:
        yield opened


def test_the_migrated_schema_is_the_schema_of_the_code(index: PostgresIndex) -> None:
    with index.database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []


def test_every_process_finds_what_one_applied(
    database_harness: DatabaseHarness, index: PostgresIndex
) -> None:
    another = database_harness.another(index.generation)
    apply_to(index, [document(1, "final mix")])
    assert search_ids(another, "mix") == ["m1"]
    assert another.cursor() == 1
    assert not another.wants("p1", 1)


def test_many_documents_are_counted_by_the_statistics(
    index: PostgresIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = [document(n, "mix") for n in range(1, 301)]
    apply_to(index, [*kept, *(deleted(one) for one in kept[:40])])
    assert index.size().documents == 260
    monkeypatch.setattr(engine_module, "MAX_EXACT_COUNT", 100)
    with index.database.engine.begin() as link:
        link.exec_driver_sql("analyze documents")
    assert index.size().documents == pytest.approx(260, rel=0.2)


def test_processes_on_the_same_feed_apply_each_change_once(
    database_harness: DatabaseHarness, index: PostgresIndex
) -> None:
    feed = [document(n % 30, f"common r{n}", revision=n // 30) for n in range(120)]
    copies = [database_harness.another(index.generation) for _ in range(COPIES)]

    def read_to_the_end(copy: PostgresIndex) -> None:
        while (after := copy.cursor()) < len(feed):
            upto = min(len(feed), after + 7)
            copy.apply(feed[after:upto], after=after, upto=upto)

    list(eventlet.GreenPool(COPIES).imap(read_to_the_end, copies))
    assert index.cursor() == len(feed)
    assert index.size().documents == 30
    assert len(search_ids(index, "common")) == 30
    assert search_ids(index, "r119") == ["m29"]
    assert search_ids(index, "r0") == []


def test_documents_and_cursor_are_kept_together_or_not_at_all(
    index: PostgresIndex,
) -> None:
    apply_to(index, [document(1, "first")])
    unwritable = document(3, "no database keeps this: \x00")
    with pytest.raises(DataError):
        index.apply([document(2, "second"), unwritable], after=1, upto=3)
    assert index.cursor() == 1
    assert search_ids(index, "second") == []
    index.apply([document(2, "second")], after=1, upto=2)
    assert search_ids(index, "second") == ["m2"]


def test_one_batch_may_hold_several_states_of_a_message(index: PostgresIndex) -> None:
    old = document(1, "old")
    new = edited(old, "new")
    apply_to(index, [old, new, old])
    assert (search_ids(index, "old"), search_ids(index, "new")) == ([], ["m1"])
    apply_to(index, [deleted(new), new])
    assert search_ids(index, "new") == []


def test_an_update_with_another_analysis_builds_its_own_generation(
    database_harness: DatabaseHarness, index: PostgresIndex
) -> None:
    apply_to(index, [document(1, "final mix")])
    newer = database_harness.another(f"{index.generation}-newer")
    assert newer.cursor() == 0
    assert search_ids(newer, "mix") == []
    apply_to(newer, [document(1, "final cut")])
    assert (search_ids(index, "mix"), search_ids(index, "cut")) == (["m1"], [])
    assert (search_ids(newer, "mix"), search_ids(newer, "cut")) == ([], ["m1"])


def test_an_unused_generation_is_removed_and_no_other(
    database_harness: DatabaseHarness, index: PostgresIndex
) -> None:
    left = database_harness.another(f"{index.generation}-left")
    for each in (index, left):
        apply_to(each, [document(1, "final mix")])
    index.maintain(START)
    assert left.size().documents == 1
    with index.database.writing() as session:
        session.execute(
            text(
                "update generations set seen_at = now() - interval '2 days'"
                " where name in (:left, :ours)"
            ),
            {"left": left.generation, "ours": index.generation},
        )
    index.maintain(START + timedelta(minutes=1))
    assert left.size().documents == 0
    index.maintain(START + timedelta(minutes=2))
    assert left.cursor() == 0
    assert search_ids(index, "mix") == ["m1"]
    assert index.cursor() == 1


@pytest.mark.parametrize(
    "opened", [open_index, partial(RemoteDatabase, workers=1)], ids=["here", "workers"]
)
def test_without_its_database_the_service_is_unavailable(
    postgres: DatabaseAccess, opened: Callable[[str], Engine]
) -> None:
    url = postgres.create_database("search_gone")
    migrate(url, "clp_search")
    engine = opened(url)
    apply_to(engine, [document(1, "common")])
    deps = dependencies_with(engine, sample_neighbours())
    postgres.drop_database("search_gone")
    assert refusal_of(deps, "ivy", channel=BROADCAST).code == "service.unavailable"
    for telling in (status, progress):
        with pytest.raises(Exception, match="unavailable"):
            telling(deps=deps)
    for call in (engine.size, engine.cursor, lambda: apply_to(engine, [])):
        with pytest.raises(EngineUnavailable) as away:
            call()
        assert is_transient(away.value)
    deps.projection.maintain()
    engine.close()


def test_a_search_that_takes_too_long_is_cancelled(
    postgres: DatabaseAccess,
) -> None:
    url = postgres.create_database("search_slow")
    migrate(url, "clp_search")
    engine = open_index(url, timeout=timedelta(milliseconds=100))
    apply_to(engine, [document(1, "common")])
    with engine.database.writing() as session:
        session.execute(text("alter table documents rename to kept"))
        session.execute(
            text(
                "create view documents as select kept.* from kept, lateral"
                " (select pg_sleep(60)) as waits"
            )
        )
    deps = dependencies_with(engine, sample_neighbours())
    assert refusal_of(deps, "ivy", channel=BROADCAST).code == "service.unavailable"
    engine.close()


def test_a_query_reaches_only_the_parameters_of_a_statement(
    index: PostgresIndex,
) -> None:
    apply_to(index, [document(1, "it's \\ a {text} with 'quotes' & | ! :* <-> marks")])
    for query in ("it's", "'quotes' \\", "{text}", "quot* & | !", '"a {text}"', ":*"):
        search_ids(index, query)
    assert search_ids(index, "{text} quotes") == ["m1"]
    apply_to(index, [replace(document(2), text="'); drop table documents; --")])
    assert search_ids(index, "'); drop table documents; --") == ["m2"]
    assert index.size().documents == 2


@pytest.mark.parametrize(
    ("chosen", "workers", "engine"),
    [
        ("", 0, LiveIndex),
        ("postgres", 0, PostgresIndex),
        ("postgres", 1, RemoteDatabase),
    ],
)
def test_settings_select_the_engine(
    database_harness: DatabaseHarness,
    tmp_path: Path,
    *,
    chosen: str,
    workers: int,
    engine: type,
) -> None:
    url = database_harness.url if chosen else ""
    folder = str(tmp_path / "index")
    settings = Settings(engine_url=url, data_dir=folder, workers=workers)
    context = ProcessContext.from_files(
        "search", "inprocess://chosen/", _keys(tmp_path / "keys")
    )
    process = build(settings, context)
    deps = next(p for p in process.config.values() if isinstance(p, Dependencies))
    assert isinstance(deps.engine, engine)
    process.close()


def _keys(folder: Path) -> Path:
    write_keys(folder)
    return folder / "search"
