"""Output and exit codes of `clp-notifications`."""

import io
from typing import Any, cast

import pytest
from rich.console import Console

from clp_contracts.client import Clients
from clp_contracts.errors import CallFailed, Refused
from clp_contracts.notifications import (
    DeleteSuppression,
    GetExplanation,
    ListSuppressions,
    MessageExplanation,
    SuppressionDeleted,
    Suppressions,
)
from clp_contracts.transition_reasons import SENTENCES, TransitionReason
from clp_notifications.cli import run
from clp_notifications.inbound import bounces
from clp_notifications.routing.explain import explain
from clp_notifications.transitions import suppress
from tests.services.notifications.harness import DeliveryHarness, passport
from tests.services.notifications.sample_world import World
from tests.support.sample_world import BROADCAST


class FakeClients:
    """Clients that run the use case itself, as the service would."""

    def __init__(
        self, harness: DeliveryHarness | None, error: Exception | None = None
    ) -> None:
        self.harness = harness
        self.error = error
        self.is_closed = False

    @property
    def notifications(self) -> "FakeClients":
        return self

    def explain(self, *, message: str, person: str | None) -> MessageExplanation:
        if self.error:
            raise self.error
        assert self.harness
        request = GetExplanation(message=message, person=person)
        return explain(request, actor=passport("notifications"), deps=self.harness.deps)

    def suppressions(self, *, after: str | None) -> Suppressions:
        assert self.harness
        request = ListSuppressions(after=after, limit=2)
        return bounces.suppressions(request, deps=self.harness.deps)

    def delete_suppression(self, *, address: str) -> SuppressionDeleted:
        assert self.harness
        return bounces.delete_suppression(
            DeleteSuppression(address=address), deps=self.harness.deps
        )

    def close(self) -> None:
        self.is_closed = True


def printed(line: FakeClients, *arguments: str) -> tuple[int, str]:
    return command(line, "explain", *arguments)


def command(line: FakeClients, *arguments: str) -> tuple[int, str]:
    out = io.StringIO()
    console = Console(file=out, width=110)
    code = run(arguments, lambda: cast(Clients, line), console)
    assert line.is_closed
    return code, out.getvalue()


def test_the_story_of_a_message_is_printed_as_tables(
    harness: DeliveryHarness, world: World
) -> None:
    world.follow("nat", "ian")
    message = world.post("ivy", BROADCAST)
    harness.run()
    code, text = printed(FakeClients(harness), message)
    assert code == 0
    for words in (
        f"Message {message}",
        "told: follows the project, new broadcast",
        "the rule: a broadcast is told to the external followers of the project",
        "the message is in p1/broadcast, the broadcast",
        "the mail server accepted the mail",
        "2026-03-01 12:00:00 UTC",
        "messages of this kind go to the other side",
        "All rules are in docs/rules.md.",
    ):
        assert words in " ".join(text.replace("│", " ").split()), text
    assert "R1" not in text, "rules are named in words"


def test_one_person_s_story_leaves_the_others_out(
    harness: DeliveryHarness, world: World
) -> None:
    world.follow("nat", "nia")
    message = world.post("ivy", BROADCAST)
    harness.run()
    code, text = printed(FakeClients(harness), message, "nat")
    assert (code, "nia" in text) == (0, False)


def test_a_name_cannot_colour_the_table(harness: DeliveryHarness, world: World) -> None:
    message = world.post("ivy", BROADCAST)
    harness.run()
    _, text = printed(FakeClients(harness), message, "[red]x[/red]")
    assert "[red]x[/red]" in text


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (Refused("message.missing"), 1, "refused: "),
        (CallFailed("no answer in 10 s"), 2, "Is the broker up"),
    ],
)
def test_each_failure_has_a_sentence_and_an_exit_code(
    error: Exception, code: int, words: str
) -> None:
    found, text = printed(FakeClients(None, error), "m1")
    assert found == code
    assert words in text
    assert "Traceback" not in text


def test_invalid_settings_are_named() -> None:
    out = io.StringIO()

    def connect() -> Clients:
        raise FileNotFoundError("keys/notifications.pem")

    assert run(["explain", "m1"], connect, Console(file=out)) == 3
    assert "keys/notifications.pem" in out.getvalue()


@pytest.mark.parametrize("arguments", [["--help"], ["explain", "--help"]])
def test_help_describes_each_command(
    arguments: list[str], capsys: pytest.CaptureFixture[Any]
) -> None:
    with pytest.raises(SystemExit) as finish:
        run(arguments, lambda: cast(Clients, None), Console())
    assert finish.value.code == 0
    assert "why people were or were not told" in capsys.readouterr().out.replace(
        "\n", " "
    )


def test_all_suppressions_are_listed_with_their_reasons(
    harness: DeliveryHarness, world: World
) -> None:
    with harness.database.writing() as session:
        for number in range(5):
            suppress(
                session,
                f"gone{number}@north.example",
                mail="a1" * 16,
                reason=TransitionReason.BOUNCED,
                at=world.clock(),
            )
    code, text = command(FakeClients(harness), "suppressions")
    assert code == 0
    assert [f"gone{n}@north.example" in text for n in range(5)] == [True] * 5
    words = " ".join(text.replace("│", " ").split())
    assert SENTENCES[TransitionReason.BOUNCED].split()[0] in words
    assert "2026-03-01 12:00:00 UTC" in text


def test_an_empty_list_of_suppressions_has_a_sentence(harness: DeliveryHarness) -> None:
    assert command(FakeClients(harness), "suppressions") == (
        0,
        "No address is suppressed.\n",
    )


def test_a_deleted_suppression_is_listed_no_more(
    harness: DeliveryHarness, world: World
) -> None:
    with harness.database.writing() as session:
        suppress(
            session,
            "gone@north.example",
            mail="a1" * 16,
            reason=TransitionReason.BOUNCED,
            at=world.clock(),
        )
    code, text = command(FakeClients(harness), "unsuppress", "gone@north.example")
    assert (code, "gone@north.example is no longer suppressed" in text) == (0, True)
    assert "gone@" not in command(FakeClients(harness), "suppressions")[1]
    code, text = command(FakeClients(harness), "unsuppress", "gone@north.example")
    assert (code, "address.not_suppressed" in text) == (1, True)
