"""Old and new programs side by side, schemas one step apart (R12)."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, create_engine, text

from clp_chassis.persistence.database import Database, migrate
from clp_contracts.errors import CallFailed, Refused
from clp_deploy.database_roles import KEEPERS
from clp_suite import EmbeddedSuite
from clp_suite.sample_data import put_cast
from tests.deploy.blocks import run_block
from tests.deploy.growing import hurts, schema_of
from tests.deploy.running import UpSystem, until
from tests.deploy.test_database_roles import opened

# What a next version might do to each database: it adds, and nothing else.
NEXT = {
    "projects": "alter table people add column added_next varchar",
    "messages": "alter table messages add column added_next integer default 7 not null",
    "notifications": "alter table mails add column added_next varchar",
}


def steps(service: str) -> Iterator[str]:
    """The revisions of a service, in their order."""
    folder = Path(__file__).parents[2] / "services" / service / "src" / f"clp_{service}"
    names = sorted(
        path.stem for path in (folder / "migrations" / "versions").glob("[0-9]*.py")
    )
    return (name.partition("_")[0] for name in names)


def upgrade(engine: Engine, service: str, revision: str) -> None:
    folder = Path(__file__).parents[2] / "services" / service / "src" / f"clp_{service}"
    config = Config()
    config.set_main_option("script_location", str(folder / "migrations"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


@pytest.mark.parametrize("service", KEEPERS)
def test_every_migration_only_adds(service: str, tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'rows.db'}")
    revisions = list(steps(service))
    upgrade(engine, service, revisions[0])
    for revision in revisions[1:]:
        before = schema_of(engine)
        upgrade(engine, service, revision)
        assert hurts(before, schema_of(engine)) == [], f"{service} {revision}"
    engine.dispose()


HARMFUL = [
    ("a table goes", "drop table extras", "extras is gone"),
    ("a table is renamed", "alter table extras rename to more", "extras is gone"),
    ("a column goes", "alter table rows drop column note", "rows.note is gone"),
    (
        "a column is renamed",
        "alter table rows rename column note to remark",
        "rows.note is gone",
    ),
    (
        "a value is demanded",
        "alter table rows add column must integer not null default 1",
        "",
    ),
    (
        "a table is added",
        "create table others (id integer primary key, must text not null)",
        "",
    ),
    ("a column is added", "alter table rows add column may text", ""),
    ("an index is added", "create index quick on rows (note)", ""),
    (
        "a value must be the only one",
        "create unique index one on rows (note)",
        "rows demands unique ('note',)",
    ),
]


@pytest.mark.parametrize(
    ("change", "trouble"), [pytest.param(*r[1:], id=r[0]) for r in HARMFUL]
)
def test_a_migration_that_takes_away_is_noticed(change: str, trouble: str) -> None:
    engine = create_engine("sqlite://")
    with engine.begin() as link:
        link.execute(text("create table rows (id integer primary key, note text)"))
        link.execute(text("create table extras (id integer primary key)"))
        before = schema_of(engine)
        link.execute(text(change))
    assert hurts(before, schema_of(engine)) == ([trouble] if trouble else [])
    engine.dispose()


def test_a_demand_without_a_default_is_noticed() -> None:
    engine = create_engine("sqlite://")
    with engine.begin() as link:
        link.execute(text("create table rows (id integer primary key)"))
        before = schema_of(engine)
        link.execute(text("drop table rows"))
        link.execute(
            text("create table rows (id integer primary key, must text not null)")
        )
    assert hurts(before, schema_of(engine)) == [
        "rows.must must be filled by programs that do not know it"
    ]
    engine.dispose()


def test_an_old_program_starts_on_the_next_schema_and_back(tmp_path: Path) -> None:
    """On the embedded suite: old, then next, then old again."""

    def hello(key: str) -> None:
        with EmbeddedSuite(tmp_path / "suite") as suite:
            put_cast(suite.caller(service="directory"))
            admin = suite.caller(service="directory").projects
            admin.put_project(id="p1", title="Night Train")
            admin.assign_partner(project="p1", partner="north")
            suite.caller("ivy").messages.post(
                channel="p1/direct/north", text="hello @Nat Moreau", key=key
            )
            suite.settle()
            assert len(suite.mails()) == int(key)

    hello("1")
    urls = {
        s: f"sqlite:///{next((tmp_path / 'suite').rglob(f'{s}.db'))}" for s in KEEPERS
    }
    with stepped(urls):
        hello("2")
    hello("3")


@contextmanager
def stepped(urls: dict[str, str]) -> Iterator[None]:
    """Databases as a next version leaves them; afterwards as they were."""
    databases = {service: Database(url) for service, url in urls.items()}
    was: dict[str, str] = {}
    for service, database in databases.items():
        with database.engine.begin() as link:
            was[service] = link.execute(
                text("select version_num from alembic_version")
            ).scalar_one()
            link.execute(text(NEXT[service]))
            link.execute(text("update alembic_version set version_num = 'next'"))
    try:
        yield
    finally:
        for service, database in databases.items():
            table = NEXT[service].split()[2]
            with database.engine.begin() as link:
                link.execute(text(f"alter table {table} drop column added_next"))
                said = {"was": was[service]}
                link.execute(
                    text("update alembic_version set version_num = :was"), said
                )
            database.close()


def test_a_program_that_knows_less_leaves_the_schema_alone(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'messages.db'}"
    migrate(url, "clp_messages")
    with stepped({"messages": url}):
        migrate(url, "clp_messages")
        database = Database(url)
        with database.reading() as session:
            assert (
                session.scalar(text("select version_num from alembic_version"))
                == "next"
            )
        database.close()


class Poster(threading.Thread):
    """Somebody who posts all the time, and keeps a list of what went wrong."""

    def __init__(self, up: UpSystem) -> None:
        super().__init__(daemon=True)
        self._up = up
        self._enough = threading.Event()
        self.numbers: list[int] = []
        self.errors: list[str] = []

    def run(self) -> None:
        ivy = self._up.person("ivy")
        while not self._enough.wait(0.02):
            text_and_key = f"rolling {len(self.numbers)}"
            try:
                posted = ivy.messages.post(
                    channel="p1/direct/south", text=text_and_key, key=text_and_key
                )
            except (CallFailed, Refused) as error:
                self.errors.append(repr(error))
            else:
                self.numbers.append(posted.number)

    def end(self) -> None:
        self._enough.set()
        self.join(60)


@pytest.mark.broker
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_rolling_update_is_not_noticed_by_callers(up: UpSystem) -> None:
    """The schema steps on, then every process is replaced while somebody posts."""
    poster = Poster(up)
    poster.start()
    until(lambda: poster.numbers)
    urls = {s: up.address(f"CLP_{s.upper()}_DATABASE_URL") for s in KEEPERS}
    with stepped(urls):
        before = up.pids
        run_block("replace", up)
        assert not {n for n, pid in up.pids.items() if n != "sink" and before[n] == pid}
    poster.end()
    assert poster.errors == []
    assert poster.numbers == list(range(poster.numbers[0], poster.numbers[-1] + 1))
    with opened(up, "messages", "messages") as connection:
        found = connection.execute(
            "select count(*) from messages where channel = 'p1/direct/south'"
        )
        assert found.fetchone() == (len(poster.numbers),)
