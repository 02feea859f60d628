"""The judge itself: it names each invariant that a run has broken, and no other."""

import email
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from clp_contracts.messages import Author, Message, Page
from clp_notifications.mail.measuring import MOST_MESSAGES
from tests.faults.ack_log import Acked, Handed, Ledger
from tests.faults.invariants import Evidence, judge
from tests.faults.load import NORTH, Load
from tests.faults.sink import marked_words, more_than_shown
from tests.services.notifications.mail_builders import mailed, said

LOAD = Load(run=1, clients=1, each=2, projects=1)
CHANNEL = "r1p0/direct/north"
WORDS = (LOAD.word(0, 0), LOAD.word(0, 1))
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@dataclass
class Run:
    """A run that went well, until a test says otherwise; answers as services would."""

    texts: list[str] = field(default_factory=lambda: [f"{word} x" for word in WORDS])
    mails: list[Handed] = field(default_factory=lambda: [*all_mails()])
    left: dict[str, int] = field(default_factory=lambda: {"mails": 0})
    found: dict[str, list[str]] = field(
        default_factory=lambda: {word: [f"m{at}"] for at, word in enumerate(WORDS)}
    )
    seen_by_nola: list[int] | None = None
    numbers: tuple[int, ...] = (1, 2, 3)
    state: str = "due"
    barred: tuple[float, float] | None = None
    acked: tuple[str, ...] = WORDS

    def caller(self, person: str = "", *, service: str = "") -> Any:
        def page(*, channel: str, after: int, limit: int) -> Page:
            shown = [self.message(at) for at in range(len(self.texts))]
            if person == "nola" and self.seen_by_nola is not None:
                shown = [shown[at] for at in self.seen_by_nola]
            if channel != CHANNEL or after:
                shown = []
            return Page(messages=tuple(shown), more_before=False, more_after=False)

        def find(*, query: str, project: str) -> Any:
            hits = [SimpleNamespace(message=m) for m in self.found.get(query, [])]
            return SimpleNamespace(hits=hits)

        def explain(*, message: str, person: str) -> Any:
            return SimpleNamespace(people=[SimpleNamespace(state=self.state)])

        return SimpleNamespace(
            messages=SimpleNamespace(page=page),
            search=SimpleNamespace(
                find=find, status=lambda: SimpleNamespace(documents=len(self.texts))
            ),
            notifications=SimpleNamespace(explain=explain),
        )

    def message(self, at: int) -> Message:
        return Message(
            id=f"m{at}",
            channel=CHANNEL,
            number=self.numbers[at],
            revision=1,
            author=Author(id="ivy", name="Ivy", side="internal"),
            text=self.texts[at],
            posted_at=NOON,
            edited_at=None,
            deleted=False,
            attachments=(),
        )

    def judged(self, folder: Path) -> list[str]:
        ledger = Ledger(folder / "acks.jsonl")
        for at, word in enumerate(self.acked):
            ledger.ack(Acked(word, CHANNEL, "ivy", f"m{at}", at + 1, 0.0, 0.1))
        if self.barred:
            ledger.barred["r1p0"].append(self.barred)
        evidence = Evidence(self.mails, self.left)
        return judge(self, LOAD, ledger, evidence, searches=9).broken  # type: ignore[arg-type]


def mail(to: str, word: str, identity: str = "", begun: float = 5.0) -> Handed:
    return Handed(identity or f"{to} {word}", to, (word,), begun, begun, cut=False)


def all_mails() -> list[Handed]:
    return [mail(to, word) for to in NORTH for word in WORDS]


def broken(**changes: Any) -> Callable[[], Run]:
    return lambda: replace(Run(), **changes)


ROWS = [
    ("I1 acknowledged and lost", broken(acked=(*WORDS, LOAD.word(0, 2)))),
    ("I1 stored otherwise", broken(acked=WORDS[::-1])),
    ("I2 shown twice", broken(texts=[f"{word} x" for word in (*WORDS, WORDS[1])])),
    ("I2 nobody posted it", broken(acked=WORDS[:1])),
    ("I3 owed and lost", broken(mails=all_mails()[1:])),
    ("I3 told of what is not", broken(mails=[*all_mails(), mail("nola", "w01c00n000009")])),
    ("I4 a stranger", broken(mails=[*all_mails(), mail("wes", WORDS[0])])),
    ("I4 another partner's", broken(mails=[*all_mails(), mail("sol", WORDS[0])])),
    ("I4 mailed after losing", broken(mails=[*all_mails(), mail("sol", WORDS[0])], barred=(4.0, 6.0))),
    ("I5 told in two", broken(mails=[*all_mails(), mail("nola", WORDS[0], "other")])),
    ("I5 one Message-ID", broken(mails=[*all_mails(), mail("nils", WORDS[0], f"nola {WORDS[0]}")])),
    ("I6 two readers", broken(seen_by_nola=[1, 0])),
    ("I6 gaps", broken(numbers=(1, 3))),
    ("I7 left", broken(left={"mails": 1})),
    ("I8 not found", broken(found={WORDS[0]: ["m0"]})),
    ("I8 found though", broken(found=Run().found | {LOAD.word(1, 0): ["m0"]})),
]  # fmt: skip


def test_a_run_that_went_well_is_not_blamed(tmp_path: Path) -> None:
    assert Run().judged(tmp_path) == []


@pytest.mark.parametrize(("name", "run"), ROWS, ids=[row[0] for row in ROWS])
def test_what_is_broken_is_named(
    name: str, run: Callable[[], Run], tmp_path: Path
) -> None:
    assert any(line.startswith(name) for line in run().judged(tmp_path))


def test_a_notification_that_says_why_it_was_not_sent_is_not_lost(
    tmp_path: Path,
) -> None:
    explained = replace(Run(), mails=all_mails()[1:], state="suppressed")

    assert explained.judged(tmp_path) == []


def test_what_a_mail_only_counts_is_told_and_no_more_than_it_counts(
    tmp_path: Path,
) -> None:
    (first, second, *others) = all_mails()
    assert first.to == second.to
    counting = replace(first, more=1)

    assert replace(Run(), mails=[counting, *others]).judged(tmp_path) == []
    both = replace(Run(), mails=[counting, counting, *others[1:]])
    (line,) = both.judged(tmp_path)
    assert line.startswith("I3 owed and lost")


@pytest.mark.parametrize("messages", [1, 10, MOST_MESSAGES + 1, 3 * MOST_MESSAGES])
def test_the_relay_reads_what_a_mail_shows_and_how_many_more_it_tells_of(
    messages: int,
) -> None:
    sent = mailed(*[said(LOAD.word(0, n)) for n in range(messages)])
    read = email.message_from_bytes(sent.data)
    assert len(marked_words(read)) + more_than_shown(read) == messages
    assert (more_than_shown(read) > 0) == (messages > MOST_MESSAGES)


def test_a_mail_taken_twice_is_a_twin_and_not_a_fault(tmp_path: Path) -> None:
    twice = replace(Run(), mails=[*all_mails(), all_mails()[0]])

    assert twice.judged(tmp_path) == []
