"""Mails as their readers see them: language, content, unsubscribe, explanation."""

import io
import os
import re
import subprocess
import sys
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest
from rich.console import Console

from clp_notifications.cli import connected, run
from clp_notifications.inbound.maildir import deliver_to_maildir
from clp_suite import EmbeddedSuite
from clp_suite.environment import INCOMING, SuiteEnvironment
from clp_suite.sample_data import PORTAL
from clp_suite.suite import Suite
from tests.journeys.scenario import Scenario
from tests.services.notifications.bounce_reports import complaint, report
from tests.support.waiting import until

COMMAND = Path(sys.executable).parent / "clp-notifications"


def environment_of(suite: Suite) -> SuiteEnvironment:
    name = "_environment" if isinstance(suite, EmbeddedSuite) else "_plan"
    environment: SuiteEnvironment = getattr(suite, name)
    return environment


def text_of(scenario: Scenario) -> str:
    (mail,) = scenario.mails()
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


def test_a_mail_uses_the_readers_language_and_time_zone(scenario: Scenario) -> None:
    person = f"rym-{scenario.project}"
    scenario.directory.projects.put_person(
        id=person,
        name="Rym Amari",
        email=f"{person}@north.example",
        partner="north",
        roles=[PORTAL],
        language="ar",
        time_zone="Asia/Riyadh",
    )
    scenario.follow(person)
    scenario.post("ivy", scenario.broadcast, "Hello")
    text = text_of(scenario)
    assert "كتب \u2068Ivy Lane\u2069، " in text
    assert "(التوقيت العربي الرسمي):" in text
    assert "> Hello" in text


def test_a_mail_without_content_says_only_where_to_read(scenario: Scenario) -> None:
    settings = scenario.as_("nia").notifications.mail_settings(content=False)
    try:
        assert not settings.content
        scenario.follow("nia")
        scenario.post("ivy", scenario.broadcast, "the secret ending")
        text = text_of(scenario)
    finally:
        scenario.as_("nia").notifications.mail_settings(content=True)
    assert "A new message, " in text
    assert f"/{scenario.broadcast}/1" in text
    assert "secret" not in text
    assert "Ivy" not in text


def fetch_page(
    port: int, method: str, path: str, language: str = ""
) -> tuple[int, str]:
    """Request a link of a mail as a mail program does."""
    body = "List-Unsubscribe=One-Click" if method == "POST" else None
    headers = {"Accept-Language": language}
    with closing(HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        return response.status, response.read().decode()


def test_one_click_stops_the_mails_of_a_project(scenario: Scenario) -> None:
    scenario.follow("sol")
    scenario.post("ivy", scenario.broadcast, "Hello")
    (mail,) = scenario.mails()
    match = re.search(
        r"<https://[^/]+(/-/unsubscribe/[^>]+)>", mail["List-Unsubscribe"]
    )
    assert match
    port = environment_of(scenario.suite).notifications_port
    status, page = fetch_page(port, "GET", match[1], language="fr")
    assert (status, "Ne plus recevoir aucun courriel" in page) == (200, True)
    modes = scenario.as_("sol").notifications.mail_settings().projects
    assert scenario.project not in {one.project for one in modes}
    assert fetch_page(port, "POST", match[1])[0] == 200
    modes = scenario.as_("sol").notifications.mail_settings().projects
    assert {one.project: one.mode for one in modes}[scenario.project] == "off"
    scenario.post("ivy", scenario.broadcast, "Hello again")
    assert len(scenario.mails()) == 1


def test_a_mail_to_the_unsubscribe_address_stops_the_mails_of_a_project(
    scenario: Scenario,
) -> None:
    """Rule 61, with the mail in the folder that the README names."""
    scenario.follow("sol")
    scenario.post("ivy", scenario.broadcast, "Hello")
    (mail,) = scenario.mails()
    found = re.search(r"<mailto:([^?>]+)\?subject=([^>]+)>", mail["List-Unsubscribe"])
    assert found
    raw = f"From: sol@south.example\r\nTo: {found[1]}\r\nSubject: {found[2]}\r\n\r\n"
    deliver(scenario, raw)
    modes = scenario.as_("sol").notifications.mail_settings().projects
    assert {one.project: one.mode for one in modes}[scenario.project] == "off"
    scenario.post("ivy", scenario.broadcast, "Hello again")
    assert len(scenario.mails()) == 1


def deliver(scenario: Scenario, raw: str) -> None:
    """Put a mail into the folder that the README names, and wait until it is read."""
    folder = scenario.suite.data_dir / INCOMING
    assert deliver_to_maildir(raw.encode(), str(folder)) == 0
    until(lambda: not any((folder / "new").iterdir()), 60)


def states(scenario: Scenario, message: str) -> dict[str, tuple[str | None, str]]:
    """State and last reason of the mail to each person told of a message."""
    return {
        one.person: (one.state, one.transitions[-1].reason)
        for one in scenario.explained(message)
        if one.told
    }


def newcomer(scenario: Scenario) -> tuple[str, str]:
    """Somebody new who follows the project: id and address."""
    person = f"new-{scenario.project}"
    address = f"{person}@north.example"
    scenario.directory.projects.put_person(
        id=person, name="New", email=address, partner="north", roles=[PORTAL]
    )
    scenario.follow(person)
    return person, address


def test_a_bounce_stops_an_address_until_an_operator_clears_it(
    scenario: Scenario,
) -> None:
    """Rule 41: a stopped address, what was held back for it, and sending it again."""
    person, address = newcomer(scenario)
    first = scenario.post("ivy", scenario.broadcast, "Hello").id
    (mail,) = scenario.mails()
    raw = report("5.1.1", recipient=f"rfc822; {address}")
    deliver(scenario, raw(mail["Return-Path"].strip("<> ")))
    assert states(scenario, first) == {person: ("dead", "bounced")}
    second = scenario.post("ivy", scenario.broadcast, "Hello again").id
    assert len(scenario.mails()) == 1
    assert states(scenario, second) == {person: ("suppressed", "address_suppressed")}

    operations = scenario.operations.notifications
    held_back = [
        one.id for one in operations.dead().notifications if one.person == person
    ]
    assert len(held_back) == 2
    operations.delete_suppression(address=address)
    assert operations.redrive(notification_ids=held_back).count == 2
    assert len(scenario.mails()) == 3
    for message in (first, second):
        assert states(scenario, message) == {person: ("sent", "accepted")}


def test_a_complaint_turns_the_mails_of_its_reader_off(scenario: Scenario) -> None:
    person, _ = newcomer(scenario)
    first = scenario.post("ivy", scenario.broadcast, "Hello").id
    (mail,) = scenario.mails()
    raw = complaint(mail["Return-Path"].strip("<> ")).decode()
    deliver(scenario, raw)
    assert states(scenario, first) == {person: ("sent", "complained")}
    second = scenario.post("ivy", scenario.broadcast, "Hello again").id
    assert len(scenario.mails()) == 1
    assert states(scenario, second) == {person: ("suppressed", "mail_off")}
    settings = scenario.as_(person).notifications.mail_settings(mode="batched")
    assert settings.default == "batched"


def explained(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch, *arguments: str
) -> tuple[int, str]:
    """Run the operators' command that explains a notification."""
    environ = environment_of(scenario.suite).environ() | {"COLUMNS": "110"}
    if isinstance(scenario.suite, EmbeddedSuite):
        # Its broker lives in this process alone.
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        out = io.StringIO()
        return run(
            ["explain", *arguments], connected, Console(file=out)
        ), out.getvalue()
    done = subprocess.run(
        [COMMAND, "explain", *arguments],
        check=False,
        env=os.environ | environ,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stderr == ""
    return done.returncode, done.stdout


def test_the_command_explains_why(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenario.follow("nat", "ian")
    posted = scenario.post("ivy", scenario.broadcast, "Hello")
    scenario.suite.settle()
    code, text = explained(scenario, monkeypatch, posted.id)
    assert code == 0
    for words in (
        "told: follows the project",
        "the mail server accepted the mail",
        "the rule: a broadcast is told to the external followers",
    ):
        assert words in text
    code, text = explained(scenario, monkeypatch, posted.id, "nat")
    assert "ian" not in text
    code, text = explained(scenario, monkeypatch, "no-such-message")
    assert code == 1
    assert "message.missing" in text


def test_a_reader_of_digests_gets_a_digest(scenario: Scenario) -> None:
    scenario.as_("sam").notifications.mail_settings(
        project=scenario.project, mode="daily"
    )
    scenario.follow("sam")
    posted = scenario.post("ivy", scenario.broadcast, "Hello")
    assert scenario.mails() == []
    (story,) = scenario.as_("sam").notifications.explain(message=posted.id).people
    assert story.state == "due"
    assert "wants one digest a day" in story.facts
    assert any(fact.startswith("waits in a digest mail") for fact in story.facts)
