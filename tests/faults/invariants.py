"""The invariants of a run, verified with logs and the running system.

I1  what was acknowledged is stored, once, as it was acknowledged
I2  what is stored is shown once
I3  every owed notification was sent, or is suppressed or dead with a reason
I4  nobody without access got a mail
I5  a mail that came twice has the Message-ID of its twin
I6  every reader sees a channel in the same order, without gaps
I7  nothing is left claimed or due
I8  search finds what is stored, and nothing else
"""

import math
import random
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

import psycopg

from clp_contracts.errors import Refused
from clp_contracts.messages import Message, MessageMay
from clp_suite.suite import OPERATIONS, Suite
from tests.faults.ack_log import Acked, AckLog, SentMail, sent_mails
from tests.faults.load import CAST, Load, recipients_of
from tests.faults.process_group import ProcessGroup
from tests.faults.sink import WORD

PAGE = 200
# Seconds after a confirmed withdrawal in which a send may still begin (rule 7).
WINDOW_S = 0.1
# What the control has not mailed by then it never will.
NAIVE_TIME_S = 10.0


@dataclass
class Verdict:
    """Violations found, and the figures of the run."""

    figures: dict[str, Any] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)

    def require_none(self, invariant: str, found: Any) -> None:
        """Raise unless nothing was found."""
        if found:
            shown = list(found)[:5] if isinstance(found, list | set) else found
            self.broken.append(f"{invariant}: {shown}")


# Rows that must not exist once all is calm (I7).
LEFT = {
    "notifications due or claimed": (
        "select count(*) from notifications where state in ('due', 'claimed')"
    ),
    "mails with work to do": (
        "select count(*) from mails where due_at is not null or lease_until is not null"
    ),
    "dead letters": "select count(*) from dead_letters",
}


@dataclass(frozen=True)
class Evidence:
    """Evidence outside the services: mails accepted by the relay, and rows left."""

    mails: list[SentMail]
    left: dict[str, int]


def rows_left(database_url: str) -> dict[str, int]:
    """Count rows that must not be left."""
    with psycopg.connect(database_url) as database:
        return {
            what: (database.execute(counting).fetchone() or (0,))[0]
            for what, counting in LEFT.items()
        }


def check_invariants(
    group: ProcessGroup, load: Load, ack_log: AckLog, *, searches: int
) -> Verdict:
    """Verify processes on PostgreSQL and the relay's log."""
    evidence = Evidence(
        list(sent_mails(group.sink_log)), rows_left(group.database_url("notifications"))
    )
    verdict = judge(group, load, ack_log, evidence, searches=searches)
    verdict.figures["kills"] = dict(group.kills)
    verdict.require_none("ended by itself", group.unexpected_exits)
    return verdict


def judge(
    suite: Suite, load: Load, ack_log: AckLog, evidence: Evidence, *, searches: int
) -> Verdict:
    """Query all services, and compare with the logs."""
    verdict = Verdict()
    shown = _shown(suite, load, verdict)
    _check_stored(shown, ack_log, verdict)
    mails = [mail for mail in evidence.mails if _is_of(mail, load)]
    stored = _stored(shown, ack_log)
    _check_owed(suite, stored, mails, verdict)
    _check_access(mails, ack_log, verdict)
    _check_duplicates(mails, verdict)
    verdict.require_none(
        "I7 left", {what for what, rows in evidence.left.items() if rows}
    )
    _check_search(suite, load, stored, searches=searches, verdict=verdict)
    seconds = sorted(acked.seconds for acked in ack_log.acked.values())
    verdict.figures |= {
        "acknowledged": len(ack_log.acked),
        "stored": len(stored),
        "in doubt": len(ack_log.uncertain),
        "failed calls": dict(ack_log.failures),
        "p99 answer s": round(seconds[math.ceil(len(seconds) * 0.99) - 1], 3),
        "longest call s": round(max(seconds[-1], ack_log.longest_failure_s), 3),
    }
    return verdict


def _common_part(page: Sequence[Message]) -> list[Message]:
    """Return the messages without what depends on their reader: marks and permissions."""
    return [replace(message, mentions=(), may=MessageMay()) for message in page]


def _shown(
    suite: Suite, load: Load, verdict: Verdict
) -> dict[str, list[tuple[str, Message]]]:
    """Return every word with the messages that show it; verify the order (I6)."""
    found: dict[str, list[tuple[str, Message]]] = defaultdict(list)
    for number in range(load.projects):
        for kind in ("broadcast", "direct/north"):
            channel = f"{load.project(number)}/{kind}"
            seen = list(_pages(suite, "inga", channel))
            other = list(_pages(suite, "nola", channel))
            numbers = [message.number for message in seen]
            is_alike = _common_part(seen) == _common_part(other)
            verdict.require_none(
                "I6 two readers, two orders", [] if is_alike else [channel]
            )
            verdict.require_none(
                "I6 gaps or twins in numbers",
                [channel] if numbers != list(range(1, len(numbers) + 1)) else [],
            )
            for message in seen:
                for word in WORD.findall(message.text):
                    found[word].append((channel, message))
    return found


def _pages(suite: Suite, person: str, channel: str) -> Iterator[Message]:
    client, after = suite.client(person), 0
    while True:
        try:
            page = client.messages.page(channel=channel, after=after, limit=PAGE)
        except Refused:
            return
        yield from page.messages
        if not page.more_after:
            return
        after = page.messages[-1].number


def _check_stored(
    shown: dict[str, list[tuple[str, Message]]], ack_log: AckLog, verdict: Verdict
) -> None:
    lost, other = [], []
    for word, acked in ack_log.acked.items():
        messages = shown.get(word, [])
        if not messages:
            lost.append(word)
        elif (messages[0][1].id, messages[0][1].number) != (acked.id, acked.number):
            other.append(word)
    verdict.require_none("I1 acknowledged and lost", lost)
    verdict.figures["acknowledged lost"] = len(lost)
    verdict.require_none("I1 stored otherwise than acknowledged", other)
    verdict.require_none(
        "I2 shown twice", [w for w, ms in shown.items() if len(ms) > 1]
    )
    known = ack_log.acked.keys() | ack_log.uncertain
    verdict.require_none("I2 nobody posted it", shown.keys() - known)
    in_order = sorted(ack_log.acked.values(), key=lambda acked: acked.word)
    last: dict[tuple[str, str], int] = {}
    for acked in in_order:
        who = (acked.channel, acked.word[:6])
        if last.get(who, 0) >= acked.number:
            verdict.require_none("I6 one client's order", [acked.word])
        last[who] = acked.number


def _stored(
    shown: dict[str, list[tuple[str, Message]]], ack_log: AckLog
) -> dict[str, Acked]:
    """Return all stored messages."""
    stored = {}
    for word, messages in shown.items():
        channel, message = messages[0]
        stored[word] = ack_log.acked.get(word) or Acked(
            word=word,
            channel=channel,
            author=message.author.id,
            id=message.id,
            number=message.number,
            at=0.0,
            seconds=0.0,
        )
    return stored


def _is_of(mail: SentMail, load: Load) -> bool:
    return any(word.startswith(f"w{load.run:02d}c") for word in mail.words)


def _check_owed(
    suite: Suite, stored: dict[str, Acked], mails: list[SentMail], verdict: Verdict
) -> None:
    got: dict[tuple[str, str], set[str]] = defaultdict(set)
    for mail in mails:
        for word in mail.words:
            got[word, mail.to].add(mail.id)
    owed = [(word, to) for word, acked in stored.items() for to in recipients_of(acked)]
    missing = [one for one in owed if one not in got]
    unshown = [
        one for one in missing if not _is_explained(suite, stored[one[0]].id, one[1])
    ]
    unexplained = [*_unannounced(unshown, mails)]
    verdict.require_none("I3 owed and lost", unexplained)
    verdict.require_none(
        "I5 told in two different mails",
        [one for one, identities in got.items() if len(identities) > 1],
    )
    verdict.require_none(
        "I3 told of what is not stored", sorted({w for w, _ in got} - stored.keys())
    )
    verdict.figures |= {
        "notifications owed": len(owed),
        "notifications lost": len(unexplained),
        "not sent, with a reason": len(missing) - len(unshown),
        "told as one of so many more": len(unshown) - len(unexplained),
    }


def _unannounced(
    unshown: list[tuple[str, str]], mails: list[SentMail]
) -> Iterator[tuple[str, str]]:
    """Return what no mail shows, beyond the messages that mails only count."""
    counted: Counter[str] = Counter()
    for mail in {mail.id: mail for mail in mails}.values():
        counted[mail.to] += mail.more
    for word, to in unshown:
        counted[to] -= 1
        if counted[to] < 0:
            yield word, to


def _is_explained(suite: Suite, message: str, person: str) -> bool:
    told = suite.client(service=OPERATIONS).notifications.explain(
        message=message, person=person
    )
    return any(one.state in {"suppressed", "dead"} for one in told.people)


def _check_access(mails: list[SentMail], ack_log: AckLog, verdict: Verdict) -> None:
    """Verify that mails went to people with access only (I4)."""
    people = {part.id for part in CAST} - {"ivy", "nat"}
    verdict.require_none("I4 a stranger", [m.to for m in mails if m.to not in people])
    late = 0.0
    channels = {acked.word: acked.channel for acked in ack_log.acked.values()}
    for mail in mails:
        if mail.to != "sol":
            continue
        at = channels.get(mail.words[0], "")
        verdict.require_none(
            "I4 another partner's channel", [at] if "direct" in at else []
        )
        for begin, end in ack_log.without_access[at.partition("/")[0]]:
            if begin < mail.begun < end:
                late = max(late, mail.begun - begin)
    verdict.figures["latest mail after a withdrawal s"] = round(late, 3)
    verdict.require_none(
        "I4 mailed after losing access", [late] if late > WINDOW_S else []
    )


def _check_duplicates(mails: list[SentMail], verdict: Verdict) -> None:
    taken = Counter(mail.id for mail in mails)
    different = {mail.id: (mail.to, mail.words) for mail in mails}
    verdict.require_none(
        "I5 one Message-ID, two mails",
        [m.id for m in mails if different[m.id] != (m.to, m.words)],
    )
    verdict.figures |= {
        "mails": len(taken),
        "duplicate mails": sum(taken.values()) - len(taken),
        "cut after acceptance": sum(mail.cut for mail in mails),
    }


def _check_search(
    suite: Suite,
    load: Load,
    stored: dict[str, Acked],
    *,
    searches: int,
    verdict: Verdict,
) -> None:
    rng = random.Random(load.seed)
    counting = rng.sample(sorted(stored), min(searches, len(stored)))
    wrong = []
    for word in counting:
        found = suite.client("inga").search.find(
            query=word, project=stored[word].channel.partition("/")[0]
        )
        if [hit.message for hit in found.hits] != [stored[word].id]:
            wrong.append(word)
    verdict.require_none("I8 not found, or found otherwise", wrong)
    for word in load_only(load, stored):
        for number in range(load.projects):
            hits = suite.client("inga").search.find(
                query=word, project=load.project(number)
            )
            verdict.require_none(
                "I8 found though not stored", [word] if hits.hits else []
            )
    status = suite.client(service=OPERATIONS).search.status()
    verdict.figures |= {"searched": len(counting), "documents": status.documents}


def load_only(load: Load, stored: dict[str, Acked]) -> list[str]:
    """Return words of the load that no stored message holds."""
    drafted = (
        load.word(0, serial) for serial in range(load.first, load.first + load.each)
    )
    unused = (word for word in drafted if word not in stored)
    return [*(load.word(load.clients, n) for n in range(3)), *islice(unused, 5)]


def naive_losses(group: ProcessGroup, ack_log: AckLog) -> dict[str, int]:
    """Return what the control lost and duplicated under the same faults."""
    until = time.time() - NAIVE_TIME_S
    acked = {word for word, at in ack_log.naive.items() if at < until}
    got: Counter[tuple[str, str]] = Counter()
    for mail in sent_mails(group.sink_log):
        for word in mail.words:
            if word.startswith("w99"):
                got[word, mail.to] += 1
    with psycopg.connect(group.database_url("naive")) as database:
        rows = Counter(word for (word,) in database.execute("select word from naive"))
    told = {word for word, _ in got}
    return {
        "naive acknowledged": len(acked),
        "naive messages lost": len(acked - rows.keys()),
        "naive messages twice": sum(rows[word] > 1 for word in acked),
        "naive notifications lost": sum(
            (word, person) not in got
            for word in acked
            for person in ("nana", "nano", "nani")
        ),
        "naive told of nothing": len(told - rows.keys()),
    }
