"""What an operator is shown and can do, against services that really run."""

import io
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from rich.console import Console

from clp_chassis.clock import new_id
from clp_chassis.inprocess import forget
from clp_contracts.errors import Refused
from clp_ops.__main__ import main
from clp_suite import EmbeddedSuite
from clp_suite.sample_data import put_cast

NORTH = "p-ops/direct/north"


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedSuite]:
    """A suite with one mail in it."""
    with EmbeddedSuite(tmp_path_factory.mktemp("ops")) as running:
        admin = running.caller(service="directory")
        put_cast(admin)
        admin.projects.put_project(id="p-ops", title="Night Train")
        admin.projects.assign_partner(project="p-ops", partner="north", languages=[])
        running.caller("nat").projects.follow(project="p-ops")
        running.caller("ivy").messages.post(channel=NORTH, text="Hello", key="k")
        running.settle()
        yield running


class Operator:
    """Runs `clp-ops` and reads what it prints."""

    def __init__(self, broker_url: str, keys: Path) -> None:
        self._environ = {"CLP_BROKER_URL": broker_url, "CLP_KEYS_DIR": str(keys)}

    def runs(self, *words: str) -> tuple[int, str]:
        shown = io.StringIO()
        console = Console(file=shown, width=200)
        return main(list(words), self._environ, console), shown.getvalue()


@pytest.fixture
def operator(suite: EmbeddedSuite) -> Operator:
    return Operator(suite.broker_url, suite.data_dir / "keys")


def change(
    suite: EmbeddedSuite,
    statement: str,
    service: str = "notifications",
    values: tuple[object, ...] = (),
) -> None:
    with closing(sqlite3.connect(suite.data_dir / f"{service}.db")) as link:
        link.execute(statement, values)
        link.commit()


def test_a_system_that_is_well_is_one_table_and_ends_with_zero(
    operator: Operator,
) -> None:
    code, shown = operator.runs("status")

    assert code == 0, shown
    assert "well" in shown
    for service in ("projects", "messages", "search", "notifications"):
        assert service in shown
    assert "1 messages" in shown


def test_the_same_is_there_for_programs(operator: Operator) -> None:
    code, shown = operator.runs("status", "--json")
    told = json.loads(shown)

    assert code == 0
    assert told["well"] is True
    assert told["index"]["documents"] == 1
    assert told["services"]["notifications"]["behind"] == 0


def test_a_service_that_does_not_answer_is_an_ill_with_what_to_look_at(
    suite: EmbeddedSuite,
) -> None:
    nobody = new_id()
    lonely = Operator(f"inprocess://{nobody}/", suite.data_dir / "keys")

    code, shown = lonely.runs("--timeout", "0.5", "status")
    forget(nobody)

    assert code == 1
    assert "ill" in shown
    assert "messages does not answer" in shown
    assert "is it running?" in shown


def test_what_was_given_up_is_shown_and_sent_again(
    suite: EmbeddedSuite, operator: Operator
) -> None:
    change(suite, "update notifications set state = 'dead', reason = 'refused'")
    before = len(suite.mails())

    code, shown = operator.runs("status")
    assert code == 1
    assert "1 notifications were given up" in shown
    assert "refused" in operator.runs("dead")[1]

    code, shown = operator.runs("redrive")
    assert code == 0
    assert "1 of 1 notifications are due again" in shown
    suite.settle()
    assert len(suite.mails()) == before + 1
    assert "Nothing was given up" in operator.runs("dead")[1]
    assert "Nothing was given up" in operator.runs("redrive")[1]


def test_a_notification_that_was_not_given_up_is_not_sent_again(
    operator: Operator,
) -> None:
    with pytest.raises(SystemExit, match=r"refused: notification\.missing"):
        operator.runs("redrive", "no-such-notification")


def test_an_address_is_released(suite: EmbeddedSuite, operator: Operator) -> None:
    change(
        suite,
        "insert into suppressed_addresses (address, reason, mail, at) values"
        " ('old@north.example', 'address_unknown', 'm', '2026-11-25 12:00:00.000000')",
    )

    assert "old@north.example" in operator.runs("release-address")[1]
    assert "again" in operator.runs("release-address", "old@north.example")[1]
    assert "every address" in operator.runs("release-address")[1]
    with pytest.raises(SystemExit, match=r"address\.not_suppressed"):
        operator.runs("release-address", "old@north.example")


def set_aside(suite: EmbeddedSuite, service: str, position: int) -> None:
    """A change of the feed that a reader says it could not apply."""
    operations = suite.caller(service="operations")
    told = getattr(operations, service).progress()
    (reader,) = (one.reader for one in told.readers)
    change(
        suite,
        "insert into dead_letters (reader, position, type, subject, error, at)"
        " values (?, ?, 't.v1', 's', 'KeyError', '2026-11-25 12:00:00.0')",
        service,
        (reader, position),
    )


def test_a_change_set_aside_is_shown_with_its_error_and_applied(
    suite: EmbeddedSuite, operator: Operator
) -> None:
    assert "Nothing was set aside" in operator.runs("aside")[1]
    head = suite.caller(service="operations").messages.progress().head
    set_aside(suite, "notifications", head)
    set_aside(suite, "notifications", head + 99)
    set_aside(suite, "messages", 1)

    _, shown = operator.runs("aside")
    assert shown.count("KeyError") == 3
    code, shown = operator.runs("aside", "--again")

    assert code == 1
    assert "2 changes were applied, 1 stay aside" in shown
    _, shown = operator.runs("aside")
    assert "LookupError" in shown, "the feed has no such change"
    assert "KeyError" not in shown
    change(suite, "delete from dead_letters")
    assert operator.runs("aside", "--again")[0] == 0


def test_a_change_that_nobody_set_aside_is_not_applied(suite: EmbeddedSuite) -> None:
    with pytest.raises(Refused, match=r"change\.missing"):
        suite.caller(service="operations").notifications.apply_again(position=1)


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({}, "name the broker: CLP_BROKER_URL"),
        ({"CLP_BROKER_URL": "inprocess://x/", "CLP_KEYS_DIR": "no/such"}, "CLP_KEYS"),
    ],
    ids=["no broker is named", "there is no key"],
)
def test_what_is_missing_is_named(environ: dict[str, str], words: str) -> None:
    with pytest.raises(SystemExit, match=words):
        main(["status"], environ)


def test_an_index_nobody_serves_is_built_anew_later(tmp_path: Path) -> None:
    assert main(["rebuild-index", "--folder", str(tmp_path / "index")], {}) == 1


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"], {})

    shown = capsys.readouterr().out
    commands = ("status", "dead", "redrive", "aside", "rebuild-index")
    for command in (*commands, "release-address"):
        assert command in shown
