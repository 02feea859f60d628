"""The index in PostgreSQL: shared by processes, each at any step of an update."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import DataError

from clp_chassis.bootstrap import Surroundings
from clp_chassis.events.feed_reader import passes
from clp_deploy.keys import write_keys
from clp_search.dependencies import Parts
from clp_search.engine import EngineAway
from clp_search.index.live_index import ServingIndex
from clp_search.postgres import engine as engine_module
from clp_search.postgres.engine import PostgresIndex, open_index
from clp_search.service import build
from clp_search.settings import Settings
from clp_search.tables import METADATA
from clp_search.use_cases.status import progress, status
from clp_suite.servers import PrivatePostgres
from tests.services.search.query_helpers import parts_with, refusal_of, story
from tests.services.search.scenario import (
    BROADCAST,
    START,
    DatabaseBench,
    deleted,
    document,
    edited,
    found,
    told,
)

pytestmark = pytest.mark.broker
COPIES = 4


@pytest.fixture
def index(database_bench: DatabaseBench) -> Iterator[PostgresIndex]:
    with database_bench.emptied() as opened:
        yield opened


def test_the_migrated_schema_is_the_schema_of_the_code(index: PostgresIndex) -> None:
    with index.database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []


def test_what_one_process_took_all_find(
    database_bench: DatabaseBench, index: PostgresIndex
) -> None:
    another = database_bench.another(index.generation)
    told(index, [document(1, "final mix")])
    assert found(another, "mix") == ["m1"]
    assert another.cursor() == 1
    assert not another.wants("p1", 1)


def test_of_many_documents_the_statistics_tell_how_many_there_are(
    index: PostgresIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = [document(n, "mix") for n in range(1, 301)]
    told(index, [*kept, *(deleted(one) for one in kept[:40])])
    assert index.size().documents == 260
    monkeypatch.setattr(engine_module, "COUNTED_EXACTLY", 100)
    with index.database.engine.begin() as link:
        link.exec_driver_sql("analyze documents")
    assert index.size().documents == pytest.approx(260, rel=0.2)


def test_processes_that_read_the_same_feed_at_once_take_each_change_once(
    database_bench: DatabaseBench, index: PostgresIndex
) -> None:
    feed = [document(n % 30, f"common r{n}", revision=n // 30) for n in range(120)]
    copies = [database_bench.another(index.generation) for _ in range(COPIES)]

    def read_to_the_end(copy: PostgresIndex) -> None:
        while (after := copy.cursor()) < len(feed):
            upto = min(len(feed), after + 7)
            copy.apply(feed[after:upto], after=after, upto=upto)

    with ThreadPoolExecutor(COPIES) as pool:
        list(pool.map(read_to_the_end, copies))
    assert index.cursor() == len(feed)
    assert index.size().documents == 30
    assert len(found(index, "common")) == 30
    assert found(index, "r119") == ["m29"]
    assert found(index, "r0") == []


def test_documents_and_cursor_are_kept_together_or_not_at_all(
    index: PostgresIndex,
) -> None:
    told(index, [document(1, "first")])
    unwritable = document(3, "no database keeps this: \x00")
    with pytest.raises(DataError):
        index.apply([document(2, "second"), unwritable], after=1, upto=3)
    assert index.cursor() == 1
    assert found(index, "second") == []
    index.apply([document(2, "second")], after=1, upto=2)
    assert found(index, "second") == ["m2"]


def test_one_batch_may_hold_several_states_of_a_message(index: PostgresIndex) -> None:
    old = document(1, "old")
    new = edited(old, "new")
    told(index, [old, new, old])
    assert (found(index, "old"), found(index, "new")) == ([], ["m1"])
    told(index, [deleted(new), new])
    assert found(index, "new") == []


def test_an_update_that_reads_texts_differently_builds_beside_what_serves(
    database_bench: DatabaseBench, index: PostgresIndex
) -> None:
    told(index, [document(1, "final mix")])
    newer = database_bench.another(f"{index.generation}-newer")
    assert newer.cursor() == 0
    assert found(newer, "mix") == []
    told(newer, [document(1, "final cut")])
    assert (found(index, "mix"), found(index, "cut")) == (["m1"], [])
    assert (found(newer, "mix"), found(newer, "cut")) == ([], ["m1"])


def test_a_generation_that_nobody_works_with_goes_and_no_other(
    database_bench: DatabaseBench, index: PostgresIndex
) -> None:
    left = database_bench.another(f"{index.generation}-left")
    for each in (index, left):
        told(each, [document(1, "final mix")])
    index.tidy(START)
    assert left.size().documents == 1
    with index.database.writing() as session:
        session.execute(
            text(
                "update generations set seen_at = now() - interval '2 days'"
                " where name in (:left, :ours)"
            ),
            {"left": left.generation, "ours": index.generation},
        )
    index.tidy(START + timedelta(minutes=1))
    assert left.size().documents == 0
    index.tidy(START + timedelta(minutes=2))
    assert left.cursor() == 0
    assert found(index, "mix") == ["m1"]
    assert index.cursor() == 1


def test_a_database_that_is_away_is_a_service_that_is_unavailable(
    postgres: PrivatePostgres,
) -> None:
    engine = open_index(postgres.create_database("search_gone"))
    told(engine, [document(1, "common")])
    parts = parts_with(engine, story())
    postgres.drop_database("search_gone")
    assert refusal_of(parts, "ivy", channel=BROADCAST).code == "service.unavailable"
    for telling in (status, progress):
        with pytest.raises(Exception, match="unavailable"):
            telling(parts=parts)
    for call in (engine.size, engine.cursor, lambda: told(engine, [])):
        with pytest.raises(EngineAway) as away:
            call()
        assert passes(away.value)
    parts.projection.tidy()
    engine.close()


def test_a_search_that_takes_too_long_is_given_up(
    postgres: PrivatePostgres,
) -> None:
    url = postgres.create_database("search_slow")
    engine = open_index(url, longest=timedelta(milliseconds=100))
    told(engine, [document(1, "common")])
    with engine.database.writing() as session:
        session.execute(text("alter table documents rename to kept"))
        session.execute(
            text(
                "create view documents as select kept.* from kept, lateral"
                " (select pg_sleep(60)) as waits"
            )
        )
    parts = parts_with(engine, story())
    assert refusal_of(parts, "ivy", channel=BROADCAST).code == "service.unavailable"
    engine.close()


def test_no_more_than_the_arguments_of_a_statement_come_from_a_query(
    index: PostgresIndex,
) -> None:
    told(index, [document(1, "it's \\ a {text} with 'quotes' & | ! :* <-> marks")])
    for query in ("it's", "'quotes' \\", "{text}", "quot* & | !", '"a {text}"', ":*"):
        found(index, query)
    assert found(index, "{text} quotes") == ["m1"]
    told(index, [replace(document(2), text="'); drop table documents; --")])
    assert found(index, "'); drop table documents; --") == ["m2"]
    assert index.size().documents == 2


@pytest.mark.parametrize(
    ("chosen", "engine"), [("", ServingIndex), ("postgres", PostgresIndex)]
)
def test_a_setting_chooses_where_the_index_is(
    database_bench: DatabaseBench, tmp_path: Path, chosen: str, engine: type
) -> None:
    url = database_bench.url if chosen else ""
    settings = Settings(engine_url=url, data_dir=str(tmp_path / "index"), workers=0)
    surroundings = Surroundings.from_files(
        "search", "inprocess://chosen/", _keys(tmp_path / "keys")
    )
    process = build(settings, surroundings)
    parts = next(p for p in process.config.values() if isinstance(p, Parts))
    assert isinstance(parts.engine, engine)
    process.close()


def _keys(folder: Path) -> Path:
    write_keys(folder)
    return folder
