"""The verdict names each invariant that a run violates, and no other."""

import email
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from clp_contracts.messages import Author, Message, Page
from clp_notifications.mail.rendering import MAX_MESSAGES
from tests.faults.ack_log import Acked, AckLog, SentMail
from tests.faults.invariants import Evidence, judge
from tests.faults.load import NORTH, Load
from tests.faults.sink import marked_words, more_than_shown
from tests.services.notifications.mail_builders import mail_message, mailed

LOAD = Load(run=1, clients=1, each=2, projects=1)
CHANNEL = "r1p0/direct/north"
WORDS = (LOAD.word(0, 0), LOAD.word(0, 1))
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@dataclass
class Run:
    """A good run, until a test changes it; responds as the services would."""

    texts: list[str] = field(default_factory=lambda: [f"{word} x" for word in WORDS])
    mails: list[SentMail] = field(default_factory=lambda: [*all_mails()])
    left: dict[str, int] = field(default_factory=lambda: {"mails": 0})
    found: dict[str, list[str]] = field(
        default_factory=lambda: {word: [f"m{at}"] for at, word in enumerate(WORDS)}
    )
    seen_by_nola: list[int] | None = None
    numbers: tuple[int, ...] = (1, 2, 3)
    state: str = "due"
    without_access: tuple[float, float] | None = None
    acked: tuple[str, ...] = WORDS

    def client(self, person: str = "", *, service: str = "") -> Any:
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

    def drop_ineligible(self, folder: Path) -> list[str]:
        ack_log = AckLog(folder / "acks.jsonl")
        for at, word in enumerate(self.acked):
            ack_log.ack(Acked(word, CHANNEL, "ivy", f"m{at}", at + 1, 0.0, 0.1))
        if self.without_access:
            ack_log.without_access["r1p0"].append(self.without_access)
        evidence = Evidence(self.mails, self.left)
        return judge(self, LOAD, ack_log, evidence, searches=9).broken  # type: ignore[arg-type]


def mail(to: str, word: str, identity: str = "", begun: float = 5.0) -> SentMail:
    return SentMail(identity or f"{to} {word}", to, (word,), begun, begun, cut=False)


def all_mails() -> list[SentMail]:
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
    ("I4 mailed after losing", broken(mails=[*all_mails(), mail("sol", WORDS[0])], without_access=(4.0, 6.0))),
    ("I5 told in two", broken(mails=[*all_mails(), mail("nola", WORDS[0], "other")])),
    ("I5 one Message-ID", broken(mails=[*all_mails(), mail("nils", WORDS[0], f"nola {WORDS[0]}")])),
    ("I6 two readers", broken(seen_by_nola=[1, 0])),
    ("I6 gaps", broken(numbers=(1, 3))),
    ("I7 left", broken(left={"mails": 1})),
    ("I8 not found", broken(found={WORDS[0]: ["m0"]})),
    ("I8 found though", broken(found=Run().found | {LOAD.word(1, 0): ["m0"]})),
]  # fmt: skip


def test_a_good_run_has_no_violation(tmp_path: Path) -> None:
    assert Run().drop_ineligible(tmp_path) == []


@pytest.mark.parametrize(("name", "run"), ROWS, ids=[row[0] for row in ROWS])
def test_each_violation_is_named(
    name: str, run: Callable[[], Run], tmp_path: Path
) -> None:
    assert any(line.startswith(name) for line in run().drop_ineligible(tmp_path))


def test_a_suppressed_notification_is_not_lost(
    tmp_path: Path,
) -> None:
    explained = replace(Run(), mails=all_mails()[1:], state="suppressed")

    assert explained.drop_ineligible(tmp_path) == []


def test_messages_that_a_mail_counts_are_told_and_no_more(
    tmp_path: Path,
) -> None:
    (first, second, *others) = all_mails()
    assert first.to == second.to
    counting = replace(first, more=1)

    assert replace(Run(), mails=[counting, *others]).drop_ineligible(tmp_path) == []
    both = replace(Run(), mails=[counting, counting, *others[1:]])
    (line,) = both.drop_ineligible(tmp_path)
    assert line.startswith("I3 owed and lost")


@pytest.mark.parametrize("messages", [1, 10, MAX_MESSAGES + 1, 3 * MAX_MESSAGES])
def test_the_relay_reads_what_a_mail_shows_and_how_many_more_it_counts(
    messages: int,
) -> None:
    sent = mailed(*[mail_message(LOAD.word(0, n)) for n in range(messages)])
    read = email.message_from_bytes(sent.data)
    assert len(marked_words(read)) + more_than_shown(read) == messages
    assert (more_than_shown(read) > 0) == (messages > MAX_MESSAGES)


def test_a_duplicate_mail_is_counted_and_is_no_violation(tmp_path: Path) -> None:
    twice = replace(Run(), mails=[*all_mails(), all_mails()[0]])

    assert twice.drop_ineligible(tmp_path) == []
