"""What `clp-notifications explain` prints, and how it ends."""

import io
from typing import Any, cast

import pytest
from rich.console import Console

from clp_contracts.client import Callers
from clp_contracts.errors import CallFailed, Refused
from clp_contracts.notifications import (
    AskExplain,
    AskSuppressed,
    Explained,
    Release,
    Released,
    SuppressedAddresses,
)
from clp_notifications.cli import run
from clp_notifications.inbound import bounces
from clp_notifications.routing.explain import explain
from clp_notifications.states import SENTENCES, Because
from clp_notifications.transitions import suppress
from tests.services.notifications.harness import Works, passport
from tests.services.notifications.sample_world import BROADCAST, World


class Line:
    """Callers that answer with the use case itself, as the service would."""

    def __init__(self, works: Works | None, error: Exception | None = None) -> None:
        self.works = works
        self.error = error
        self.is_closed = False

    @property
    def notifications(self) -> "Line":
        return self

    def explain(self, *, message: str, person: str | None) -> Explained:
        if self.error:
            raise self.error
        assert self.works
        ask = AskExplain(message=message, person=person)
        return explain(ask, actor=passport("notifications"), parts=self.works.parts)

    def suppressed(self, *, after: str | None) -> SuppressedAddresses:
        assert self.works
        ask = AskSuppressed(after=after, limit=2)
        return bounces.suppressed(ask, parts=self.works.parts)

    def release(self, *, address: str) -> Released:
        assert self.works
        return bounces.release(Release(address=address), parts=self.works.parts)

    def close(self) -> None:
        self.is_closed = True


def printed(line: Line, *arguments: str) -> tuple[int, str]:
    return command(line, "explain", *arguments)


def command(line: Line, *arguments: str) -> tuple[int, str]:
    out = io.StringIO()
    console = Console(file=out, width=110)
    code = run(arguments, lambda: cast(Callers, line), console)
    assert line.is_closed
    return code, out.getvalue()


def test_the_story_of_a_message_is_printed_as_tables(
    works: Works, world: World
) -> None:
    world.follow("nat", "ian")
    message = world.post("ivy", BROADCAST)
    works.run()
    code, text = printed(Line(works), message)
    assert code == 0
    for words in (
        f"Message {message}",
        "told: follows the project, new broadcast",
        "rule R1: a broadcast is told to the external followers of the project",
        "the message stands in p1/broadcast, the broadcast",
        "the mail was handed over",
        "2026-03-01 12:00:00 UTC",
        "messages of this kind go to the other side",
    ):
        assert words in " ".join(text.replace("│", " ").split()), text


def test_one_person_s_story_leaves_the_others_out(works: Works, world: World) -> None:
    world.follow("nat", "nia")
    message = world.post("ivy", BROADCAST)
    works.run()
    code, text = printed(Line(works), message, "nat")
    assert (code, "nia" in text) == (0, False)


def test_a_name_cannot_colour_the_table(works: Works, world: World) -> None:
    message = world.post("ivy", BROADCAST)
    works.run()
    _, text = printed(Line(works), message, "[red]x[/red]")
    assert "[red]x[/red]" in text


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (Refused("message.missing"), 1, "refused: "),
        (CallFailed("no answer in 10 s"), 2, "Is the broker up"),
    ],
)
def test_what_goes_wrong_is_said_in_words(
    error: Exception, code: int, words: str
) -> None:
    found, text = printed(Line(None, error), "m1")
    assert found == code
    assert words in text
    assert "Traceback" not in text


def test_wrong_settings_are_said_in_words() -> None:
    out = io.StringIO()

    def connect() -> Callers:
        raise FileNotFoundError("keys/notifications.pem")

    assert run(["explain", "m1"], connect, Console(file=out)) == 3
    assert "keys/notifications.pem" in out.getvalue()


@pytest.mark.parametrize("arguments", [["--help"], ["explain", "--help"]])
def test_help_says_what_it_does(
    arguments: list[str], capsys: pytest.CaptureFixture[Any]
) -> None:
    with pytest.raises(SystemExit) as ended:
        run(arguments, lambda: cast(Callers, None), Console())
    assert ended.value.code == 0
    assert "why people were or were not told" in capsys.readouterr().out.replace(
        "\n", " "
    )


def test_all_stopped_addresses_are_listed_with_what_they_said(
    works: Works, world: World
) -> None:
    with works.database.writing() as session:
        for number in range(5):
            refused = (f"gone{number}@north.example", "a1" * 16)
            suppress(session, refused, Because.BOUNCED, at=world.clock())
    code, text = command(Line(works), "suppressed")
    assert code == 0
    assert [f"gone{n}@north.example" in text for n in range(5)] == [True] * 5
    words = " ".join(text.replace("│", " ").split())
    assert SENTENCES[Because.BOUNCED].split()[0] in words
    assert "2026-03-01 12:00:00 UTC" in text


def test_without_stopped_addresses_that_is_said(works: Works) -> None:
    assert command(Line(works), "suppressed") == (
        0,
        "Every address gets its mails.\n",
    )


def test_a_released_address_is_listed_no_more(works: Works, world: World) -> None:
    with works.database.writing() as session:
        refused = ("gone@north.example", "a1" * 16)
        suppress(session, refused, Because.BOUNCED, at=world.clock())
    code, text = command(Line(works), "release", "gone@north.example")
    assert (code, "Mails may go to gone@north.example again" in text) == (0, True)
    assert "gone@" not in command(Line(works), "suppressed")[1]
    code, text = command(Line(works), "release", "gone@north.example")
    assert (code, "address.not_suppressed" in text) == (1, True)
