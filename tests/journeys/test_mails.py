"""What a reader gets and may ask: language, content, the link that stops, and why."""

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
from clp_suite import EmbeddedSuite
from clp_suite.environment import Blueprint
from clp_suite.sample_data import PORTAL
from clp_suite.suite import Suite
from tests.journeys.scenario import Stage

COMMAND = Path(sys.executable).parent / "clp-notifications"


def plan_of(suite: Suite) -> Blueprint:
    name = "_blueprint" if isinstance(suite, EmbeddedSuite) else "_plan"
    plan: Blueprint = getattr(suite, name)
    return plan


def text_of(stage: Stage) -> str:
    (mail,) = stage.mails()
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


def test_a_mail_speaks_the_reader_s_language_and_time(stage: Stage) -> None:
    person = f"rym-{stage.project}"
    stage.directory.projects.put_person(
        id=person,
        name="Rym Amari",
        email=f"{person}@north.example",
        partner="north",
        roles=[PORTAL],
        language="ar",
        time_zone="Asia/Riyadh",
    )
    stage.follow(person)
    stage.post("ivy", stage.broadcast, "Hello")
    text = text_of(stage)
    assert "كتب \u2068Ivy Lane\u2069، " in text
    assert "(التوقيت العربي الرسمي):" in text
    assert "> Hello" in text


def test_a_mail_without_content_says_only_where_to_read(stage: Stage) -> None:
    settings = stage.as_("nia").notifications.mail_settings(content=False)
    try:
        assert not settings.content
        stage.follow("nia")
        stage.post("ivy", stage.broadcast, "the secret ending")
        text = text_of(stage)
    finally:
        stage.as_("nia").notifications.mail_settings(content=True)
    assert "A new message, " in text
    assert f"/{stage.broadcast}/1" in text
    assert "secret" not in text
    assert "Ivy" not in text


def answer(port: int, method: str, path: str, language: str = "") -> tuple[int, str]:
    """What a mail program gets for the link of a mail."""
    body = "List-Unsubscribe=One-Click" if method == "POST" else None
    headers = {"Accept-Language": language}
    with closing(HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        connection.request(method, path, body, headers)
        answered = connection.getresponse()
        return answered.status, answered.read().decode()


def test_one_click_stops_the_mails_of_a_project(stage: Stage) -> None:
    stage.follow("sol")
    stage.post("ivy", stage.broadcast, "Hello")
    (mail,) = stage.mails()
    found = re.search(r"<https://[^/]+(/mail/stop/[^>]+)>", mail["List-Unsubscribe"])
    assert found
    port = plan_of(stage.suite).notifications_port
    status, page = answer(port, "GET", found[1], language="fr")
    assert (status, "Ne plus recevoir aucun courriel" in page) == (200, True)
    modes = stage.as_("sol").notifications.mail_settings().projects
    assert stage.project not in {one.project for one in modes}
    assert answer(port, "POST", found[1])[0] == 200
    modes = stage.as_("sol").notifications.mail_settings().projects
    assert {one.project: one.mode for one in modes}[stage.project] == "off"
    stage.post("ivy", stage.broadcast, "Hello again")
    assert len(stage.mails()) == 1


def explained(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, *arguments: str
) -> tuple[int, str]:
    """What the command of operators says, run as they would."""
    environ = plan_of(stage.suite).environ() | {"COLUMNS": "110"}
    if isinstance(stage.suite, EmbeddedSuite):
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


def test_the_command_tells_why(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.follow("nat", "ian")
    posted = stage.post("ivy", stage.broadcast, "Hello")
    stage.suite.settle()
    code, text = explained(stage, monkeypatch, posted.id)
    assert code == 0
    for words in ("told: follows the project", "the mail was handed over", "rule R1"):
        assert words in text
    code, text = explained(stage, monkeypatch, posted.id, "nat")
    assert "ian" not in text
    code, text = explained(stage, monkeypatch, "no-such-message")
    assert code == 1
    assert "message.missing" in text


def test_a_digest_is_promised_to_whoever_wants_one(stage: Stage) -> None:
    stage.as_("sam").notifications.mail_settings(project=stage.project, mode="daily")
    stage.follow("sam")
    posted = stage.post("ivy", stage.broadcast, "Hello")
    assert stage.mails() == []
    (story,) = stage.as_("sam").notifications.explain(message=posted.id).people
    assert story.state == "due"
    assert "wants one digest a day" in story.facts
    assert any(fact.startswith("waits in a digest mail") for fact in story.facts)
