"""The commands of `clp-ops` against running services."""

import io
import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from kombu import Connection
from rich.console import Console

from clp_chassis.clock import new_id
from clp_chassis.inprocess import reset
from clp_chassis.messaging import dead_events
from clp_contracts.errors import Refused
from clp_contracts.events import MESSAGE_POSTED
from clp_notifications.service.routing_process import NotificationsService
from clp_ops.__main__ import main
from clp_ops.dead_letter_queues import dead_letter_queues
from clp_suite import EmbeddedSuite
from clp_suite.sample_data import put_cast
from tests.deploy.running import until
from tests.services.portal.browser import Browser

NORTH = "p-ops/direct/north"


@contextmanager
def patched_interval() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dead_events, "INTERVAL_S", 0.2)
        yield


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedSuite]:
    """A suite that has sent one mail, and counts dead events often."""
    with (
        patched_interval(),
        EmbeddedSuite(tmp_path_factory.mktemp("ops"), portal=True) as running,
    ):
        admin = running.client(service="directory")
        put_cast(admin)
        admin.projects.put_project(id="p-ops", title="Night Train")
        admin.projects.assign_partner(project="p-ops", partner="north", languages=[])
        running.client("nat").projects.follow(project="p-ops")
        running.client("ivy").messages.post(channel=NORTH, text="Hello", key="k")
        running.settle()
        yield running


class Operator:
    """Run `clp-ops` and read its output."""

    def __init__(self, broker_url: str, keys: Path) -> None:
        self._environ = {"CLP_BROKER_URL": broker_url, "CLP_KEYS_DIR": str(keys)}

    def run(self, *arguments: str) -> tuple[int, str]:
        output = io.StringIO()
        console = Console(file=output, width=200)
        return main(list(arguments), self._environ, console), output.getvalue()


@pytest.fixture
def operator(suite: EmbeddedSuite) -> Operator:
    return Operator(suite.broker_url, suite.data_dir / "keys" / "operations")


def change(
    suite: EmbeddedSuite,
    statement: str,
    service: str = "notifications",
    values: tuple[object, ...] = (),
) -> None:
    with closing(sqlite3.connect(suite.data_dir / f"{service}.db")) as link:
        link.execute(statement, values)
        link.commit()


def test_a_healthy_system_is_one_table_with_exit_code_zero(
    operator: Operator,
) -> None:
    code, output = operator.run("status")

    assert code == 0, output
    assert " healthy" in output
    for service in ("projects", "messages", "search", "notifications"):
        assert service in output
    assert "1 messages" in output
    assert re.search(r"delivery gave a sign of life \d+ s ago; the SMTP relay", output)
    assert "relay refuses nothing" in output
    (readers,) = re.findall(r"feed of messages at (\d+); readers: (.*)", output)
    assert readers[1] == f"search {readers[0]}, notifications.routing {readers[0]}"


def test_a_cursor_ahead_of_its_feed_is_a_problem_with_both_positions(
    suite: EmbeddedSuite, operator: Operator
) -> None:
    """As after a restore of an older database of `messages`."""
    code, output = operator.run("status", "--json")
    head = json.loads(output)["services"]["messages"]["progress"]["head"]
    change(suite, "update cursors set position = position + 7")
    try:
        until(lambda: "7 changes ahead of its feed" in operator.run("status")[1])
        code, output = operator.run("status")
    finally:
        change(suite, "update cursors set position = position - 7")
    assert code == 1
    assert f"feed of messages at {head}; readers: search {head}" in output
    assert f"notifications.routing {head + 7}" in output
    until(lambda: operator.run("status")[0] == 0)


def test_the_status_is_printed_as_json(operator: Operator) -> None:
    code, output = operator.run("status", "--json")
    status = json.loads(output)

    assert code == 0
    assert status["healthy"] is True
    assert status["index"]["documents"] == 1
    assert status["services"]["notifications"]["behind"] == 0


def test_a_service_that_does_not_respond_is_a_problem_with_a_hint(
    suite: EmbeddedSuite,
) -> None:
    broker = new_id()
    unserved = Operator(
        f"inprocess://{broker}/", suite.data_dir / "keys" / "operations"
    )

    code, output = unserved.run("--timeout", "0.5", "status")
    reset(broker)

    assert code == 1
    assert "unhealthy" in output
    assert "messages does not respond" in output
    assert "is it running?" in output


def test_every_dead_letter_queue_is_counted() -> None:
    counted = NotificationsService.dead_events.queues
    assert set(counted) == {queue.name for queue in dead_letter_queues()}


def test_dead_events_are_a_problem_until_they_are_redriven(
    suite: EmbeddedSuite, operator: Operator
) -> None:
    queue = dead_letter_queues()[0].name
    with Connection(suite.broker_url) as connection:
        producer = connection.Producer()
        producer.publish(
            b"{",
            exchange="messages.events",
            routing_key=MESSAGE_POSTED,
            content_type="application/x-python-serialize",
            content_encoding="binary",
        )
        until(lambda: f"1 events wait in {queue}" in operator.run("status")[1])
        assert operator.run("status")[0] == 1
        connection.default_channel.queue_purge(queue)
        until(lambda: operator.run("status")[0] == 0)


def test_dead_notifications_are_listed_and_redriven(
    suite: EmbeddedSuite, operator: Operator
) -> None:
    change(suite, "update notifications set state = 'dead', reason = 'refused'")
    before = len(suite.mails())

    code, output = operator.run("status")
    assert code == 1
    assert "1 notifications are dead" in output
    assert (
        "failed: the mail server refused the mail (refused)" in operator.run("dead")[1]
    )

    code, output = operator.run("redrive")
    assert code == 0
    assert "1 of 1 notifications are due again" in output
    suite.settle()
    assert len(suite.mails()) == before + 1
    assert "No notification is dead" in operator.run("dead")[1]
    assert "No notification is dead" in operator.run("redrive")[1]


def test_a_notification_that_is_not_dead_is_not_redriven(
    operator: Operator,
) -> None:
    with pytest.raises(SystemExit, match=r"refused: notification\.missing"):
        operator.run("redrive", "no-such-notification")


def test_an_address_is_unsuppressed(suite: EmbeddedSuite, operator: Operator) -> None:
    change(
        suite,
        "insert into suppressions (address, reason, mail, at) values"
        " ('old@north.example', 'address_unknown', 'm', '2026-11-25 12:00:00.000000')",
    )

    assert "old@north.example" in operator.run("unsuppress")[1]
    assert "no longer" in operator.run("unsuppress", "old@north.example")[1]
    assert "No address is suppressed" in operator.run("unsuppress")[1]
    with pytest.raises(SystemExit, match=r"address\.not_suppressed"):
        operator.run("unsuppress", "old@north.example")


def add_dead_letter(suite: EmbeddedSuite, service: str, position: int) -> None:
    """Record a change as one that the reader of a service could not apply."""
    operations = suite.client(service="operations")
    progress = getattr(operations, service).progress()
    (reader,) = (one.reader for one in progress.readers)
    change(
        suite,
        "insert into dead_letters (reader, position, type, subject, error, at)"
        " values (?, ?, 't.v1', 's', 'KeyError', '2026-11-25 12:00:00.0')",
        service,
        (reader, position),
    )


def test_a_dead_letter_is_listed_with_its_error_and_redriven(
    suite: EmbeddedSuite, operator: Operator
) -> None:
    assert "There are no dead letters" in operator.run("dead-letters")[1]
    head = suite.client(service="operations").messages.progress().head
    add_dead_letter(suite, "notifications", head)
    add_dead_letter(suite, "notifications", head + 99)
    add_dead_letter(suite, "messages", 1)

    _, output = operator.run("dead-letters")
    assert output.count("KeyError") == 3
    assert "the change lacks a part that this version expects" in output
    code, output = operator.run("dead-letters", "--redrive")

    assert code == 1
    assert "2 changes applied, 1 failed again" in output
    _, output = operator.run("dead-letters")
    assert "LookupError" in output, "the feed has no such change"
    assert "KeyError" not in output
    change(suite, "delete from dead_letters")
    assert operator.run("dead-letters", "--redrive")[0] == 0


def test_a_change_that_is_no_dead_letter_is_not_redriven(suite: EmbeddedSuite) -> None:
    with pytest.raises(Refused, match=r"change\.missing"):
        suite.client(service="operations").notifications.redrive_dead_letter(position=1)


def test_dead_incoming_mails_are_listed_shown_redriven_and_discarded(
    suite: EmbeddedSuite, operator: Operator
) -> None:
    assert "No incoming mail is dead" in operator.run("incoming")[1]
    dead = suite.data_dir / "incoming" / "dead"
    for folder in (dead, dead.with_name("new")):
        folder.mkdir(parents=True, exist_ok=True)
    for number in range(1, 4):
        mail = dead / f"mail{number}"
        mail.write_bytes(b"Subject: No \x1b[2J[/red]\r\n\r\nsecret words")
        mail.with_suffix(".reason").write_text(f"broken [/red] {number}\n")

    code, output = operator.run("incoming")
    assert code == 0
    assert output.index("broken [/red] 1") < output.index("broken [/red] 3")
    found = json.loads(operator.run("incoming", "--json")[1])
    assert [one["id"] for one in found] == ["mail1", "mail2", "mail3"]
    _, output = operator.run("incoming", "mail1")
    assert "Subject: No \N{REPLACEMENT CHARACTER}[2J[/red]\n" in output
    assert "secret" not in output
    (shown,) = json.loads(operator.run("incoming", "mail1", "--json")[1])
    assert shown["reason"] == "broken [/red] 1"

    _, output = operator.run("incoming", "--discard", "mail1")
    assert "1 incoming mails were deleted" in output
    _, output = operator.run("incoming", "--redrive", "mail2")
    assert "1 incoming mails are handled once more" in output
    assert not (dead / "mail2").exists()
    _, output = operator.run("incoming", "--redrive")
    assert "1 incoming mails are handled once more" in output
    assert list(dead.iterdir()) == []
    with pytest.raises(SystemExit, match="name the incoming mails to discard"):
        operator.run("incoming", "--discard")
    with pytest.raises(SystemExit, match=r"refused: incoming_mail\.missing"):
        operator.run("incoming", "--discard", "mail1")


def test_the_sessions_of_a_person_are_ended_in_every_browser(
    suite: EmbeddedSuite, operator: Operator
) -> None:
    people = ("nat", "nat", "ivy")
    browsers = [Browser(suite.portal_url) for _ in people]
    for person, browser in zip(people, browsers, strict=True):
        assert browser.submit("/-/sign-in", [("person", person)]).status == 303

    code, output = operator.run("end-sessions", "nat")

    assert (code, output) == (0, "2 sessions of nat were ended.\n")
    ended = ["/-/sign-in" in browser.get("/").url for browser in browsers]
    assert ended == [True, True, False]
    output = operator.run("end-sessions", "ivy", "--json")[1]
    assert json.loads(output) == {"count": 1}


def add_ticket(suite: EmbeddedSuite, number: str, summary: str) -> None:
    """Store a ticket whose mail was sent."""
    at = f"2026-11-2{number[-1]} 12:00:00.000000"
    change(
        suite,
        "insert into tickets"
        " (id, author, key, summary, urgency, fields, created_at, attempts)"
        " values (?, 'nat', ?, ?, 'delays', '{}', ?, 1)",
        values=(number, number, summary, at),
    )


def test_tickets_are_listed_and_closed(
    suite: EmbeddedSuite, operator: Operator
) -> None:
    assert "There are no tickets" in operator.run("tickets")[1]
    add_ticket(suite, "ticket1", "No \x1b[2Jsound [/red] in reel 2")
    add_ticket(suite, "ticket2", "Upload stops")

    code, output = operator.run("tickets")
    assert code == 0
    assert "No \N{REPLACEMENT CHARACTER}[2Jsound [/red] in reel 2" in output
    assert output.index("Upload stops") < output.index("reel 2")
    assert output.count("open") == 2
    output = operator.run("tickets", "--limit", "1")[1]
    assert "--after ticket2 shows more" in output
    assert "ticket1" in operator.run("tickets", "--after", "ticket2")[1]

    code, output = operator.run("close-ticket", "ticket1")
    assert code == 0
    assert "ticket1 is closed since 20" in output
    output = operator.run("close-ticket", "ticket1", "--json")[1]
    assert json.loads(output)["state"] == "closed"
    (newest, oldest) = json.loads(operator.run("tickets", "--json")[1])["tickets"]
    assert (newest["id"], newest["state"]) == ("ticket2", "open")
    assert (oldest["id"], oldest["state"]) == ("ticket1", "closed")
    assert oldest["author"] == "nat"


def test_a_missing_ticket_is_not_closed(operator: Operator) -> None:
    with pytest.raises(SystemExit, match=r"refused: ticket\.missing"):
        operator.run("close-ticket", "ticket9")


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({}, "name the broker: CLP_BROKER_URL"),
        ({"CLP_BROKER_URL": "inprocess://x/", "CLP_KEYS_DIR": "no/such"}, "CLP_KEYS"),
    ],
    ids=["no broker is named", "there is no key"],
)
def test_a_missing_setting_is_named(environ: dict[str, str], words: str) -> None:
    with pytest.raises(SystemExit, match=words):
        main(["status"], environ)


def test_the_queues_need_a_broker() -> None:
    with pytest.raises(SystemExit, match="set CLP_BROKER_URL, or CLP_"):
        main(["queues"], {})


def test_an_index_without_a_service_is_not_rebuilt_at_once(tmp_path: Path) -> None:
    assert main(["rebuild-index", "--folder", str(tmp_path / "index")], {}) == 1


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"], {})

    output = capsys.readouterr().out
    commands = ("status", "dead", "redrive", "dead-letters", "queues", "incoming")
    portal = ("end-sessions", "tickets", "close-ticket")
    for command in (*commands, *portal, "rebuild-index", "unsuppress"):
        assert command in output
