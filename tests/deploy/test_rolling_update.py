"""Two neighbouring versions side by side, schemas one revision apart (F12)."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, create_engine, text

from clp_chassis.concurrency.rate_limiter import NO_LIMIT
from clp_chassis.persistence.database import Database, migrate
from clp_contracts.errors import CallFailed, Refused
from clp_deploy.database_roles import DATABASE_SERVICES
from clp_suite import EmbeddedSuite
from clp_suite.sample_data import put_cast
from tests.deploy.blocks import run_block
from tests.deploy.growing import incompatibilities, schema_of
from tests.deploy.running import UpSystem, until
from tests.deploy.test_database_roles import connected

# A possible migration of the next version: it only adds.
NEXT = {
    "projects": "alter table people add column added_next varchar",
    "messages": "alter table messages add column added_next integer default 7 not null",
    "notifications": "alter table mails add column added_next varchar",
    "portal": "alter table sessions add column added_next varchar",
}


def steps(service: str) -> Iterator[str]:
    """The revisions of a service, in order."""
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


@pytest.mark.parametrize("service", DATABASE_SERVICES)
def test_every_migration_only_adds(service: str, tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'rows.db'}")
    revisions = list(steps(service))
    upgrade(engine, service, revisions[0])
    for revision in revisions[1:]:
        before = schema_of(engine)
        upgrade(engine, service, revision)
        assert incompatibilities(before, schema_of(engine)) == [], (
            f"{service} {revision}"
        )
    engine.dispose()


HARMFUL = [
    ("a table goes", "drop table extras", "extras is missing"),
    ("a table is renamed", "alter table extras rename to more", "extras is missing"),
    ("a column goes", "alter table rows drop column note", "rows.note is missing"),
    (
        "a column is renamed",
        "alter table rows rename column note to remark",
        "rows.note is missing",
    ),
    (
        "a required column with a default is added",
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
        "a unique index is added",
        "create unique index one on rows (note)",
        "rows has a new unique constraint ('note',)",
    ),
]


@pytest.mark.parametrize(
    ("change", "problem"), [pytest.param(*r[1:], id=r[0]) for r in HARMFUL]
)
def test_an_incompatible_migration_is_noticed(change: str, problem: str) -> None:
    engine = create_engine("sqlite://")
    with engine.begin() as link:
        link.execute(text("create table rows (id integer primary key, note text)"))
        link.execute(text("create table extras (id integer primary key)"))
        before = schema_of(engine)
        link.execute(text(change))
    assert incompatibilities(before, schema_of(engine)) == (
        [problem] if problem else []
    )
    engine.dispose()


def test_a_required_column_without_a_default_is_noticed() -> None:
    engine = create_engine("sqlite://")
    with engine.begin() as link:
        link.execute(text("create table rows (id integer primary key)"))
        before = schema_of(engine)
        link.execute(text("drop table rows"))
        link.execute(
            text("create table rows (id integer primary key, must text not null)")
        )
    assert incompatibilities(before, schema_of(engine)) == [
        "rows.must is required and has no default"
    ]
    engine.dispose()


def test_a_program_starts_on_the_next_schema_and_back(tmp_path: Path) -> None:
    """On the embedded suite: this schema, the next one, and this one again."""

    def hello(key: str) -> None:
        with EmbeddedSuite(
            tmp_path / "suite", portal=True, rate_limit=NO_LIMIT
        ) as suite:
            put_cast(suite.client(service="directory"))
            admin = suite.client(service="directory").projects
            admin.put_project(id="p1", title="Night Train")
            admin.assign_partner(project="p1", partner="north")
            suite.client("ivy").messages.post(
                channel="p1/direct/north", text="hello @Nat Moreau", key=key
            )
            suite.settle()
            assert len(suite.mails()) == int(key)

    hello("1")
    urls = {
        s: f"sqlite:///{next((tmp_path / 'suite').rglob(f'{s}.db'))}"
        for s in DATABASE_SERVICES
    }
    with next_schema(urls):
        hello("2")
    hello("3")


@contextmanager
def next_schema(urls: dict[str, str]) -> Iterator[None]:
    """Migrate databases to the next schema, and back afterwards."""
    databases = {service: Database(url) for service, url in urls.items()}
    revisions: dict[str, str] = {}
    for service, database in databases.items():
        with database.engine.begin() as link:
            revisions[service] = link.execute(
                text("select version_num from alembic_version")
            ).scalar_one()
            link.execute(text(NEXT[service]))
            link.execute(text("update alembic_version set version_num = '1999'"))
    try:
        yield
    finally:
        for service, database in databases.items():
            table = NEXT[service].split()[2]
            with database.engine.begin() as link:
                link.execute(text(f"alter table {table} drop column added_next"))
                link.execute(
                    text("update alembic_version set version_num = :revision"),
                    {"revision": revisions[service]},
                )
            database.close()


def test_a_program_of_the_previous_version_leaves_the_schema_alone(
    tmp_path: Path,
) -> None:
    url = f"sqlite:///{tmp_path / 'messages.db'}"
    migrate(url, "clp_messages")
    with next_schema({"messages": url}):
        migrate(url, "clp_messages")
        database = Database(url)
        with database.reading() as session:
            assert (
                session.scalar(text("select version_num from alembic_version"))
                == "1999"
            )
        database.close()


class Poster(threading.Thread):
    """Post continuously and record every error."""

    def __init__(self, up: UpSystem) -> None:
        super().__init__(daemon=True)
        self._up = up
        self._stop_requested = threading.Event()
        self.numbers: list[int] = []
        self.errors: list[str] = []

    def run(self) -> None:
        ivy = self._up.person("ivy")
        while not self._stop_requested.wait(0.02):
            text_and_key = f"rolling {len(self.numbers)}"
            try:
                posted = ivy.messages.post(
                    channel="p1/direct/south", text=text_and_key, key=text_and_key
                )
            except (CallFailed, Refused) as error:
                self.errors.append(repr(error))
            else:
                self.numbers.append(posted.number)

    def stop(self) -> None:
        self._stop_requested.set()
        self.join(60)


@pytest.mark.broker
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_rolling_update_fails_no_call(up: UpSystem) -> None:
    """Migrate the schema, then replace every process under load."""
    poster = Poster(up)
    poster.start()
    until(lambda: poster.numbers)
    urls = {s: up.address(f"CLP_{s.upper()}_MIGRATION_URL") for s in DATABASE_SERVICES}
    with next_schema(urls):
        before = up.pids
        run_block("replace", up)
        after = up.pids
        kept = {name for name, pid in after.items() if before[name] == pid}
        # The runbook replaces the processes of services; the others are for a single host.
        assert kept == {"sink", "provider"}
    poster.stop()
    assert poster.errors == []
    assert poster.numbers == list(range(poster.numbers[0], poster.numbers[-1] + 1))
    with connected(up, "messages", "messages") as connection:
        found = connection.execute(
            "select count(*) from messages where channel = 'p1/direct/south'"
        )
        assert found.fetchone() == (len(poster.numbers),)
