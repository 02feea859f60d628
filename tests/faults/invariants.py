"""Whether a run held: the invariants, asked of ledgers and of the running system.

I1  what was acknowledged is stored, once, as it was acknowledged
I2  what is stored is shown once
I3  every owed notification was handed over, or says why it was not
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
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import psycopg

from clp_contracts.errors import Refused
from clp_contracts.messages import Message
from clp_suite.suite import OPERATIONS, Suite
from tests.faults.ack_log import Acked, Handed, Ledger, handed
from tests.faults.load import CAST, Load, recipients_of
from tests.faults.process_group import Crew
from tests.faults.sink import WORD

PAGE = 200
# How long after a withdrawal was answered a hand-over may still begin (rule 7).
WINDOW_S = 0.1
# What the control has not mailed by then it never will.
NAIVE_TIME_S = 10.0


@dataclass
class Judgement:
    """What was found, and the figures of the run."""

    figures: dict[str, Any] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)

    def demand(self, invariant: str, found: Any) -> None:
        """Nothing may be found."""
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
    "changes set aside": "select count(*) from dead_letters",
}


@dataclass(frozen=True)
class Evidence:
    """What lies outside the services' answers: mails handed over, and rows left."""

    mails: list[Handed]
    left: dict[str, int]


def rows_left(database_url: str) -> dict[str, int]:
    """How many rows there are that must not be left."""
    with psycopg.connect(database_url) as database:
        return {
            what: (database.execute(asked).fetchone() or (0,))[0]
            for what, asked in LEFT.items()
        }


def judge_crew(crew: Crew, load: Load, ledger: Ledger, *, searches: int) -> Judgement:
    """Judge processes on PostgreSQL and the relay's log."""
    evidence = Evidence(
        list(handed(crew.sink_log)), rows_left(crew.database_url("notifications"))
    )
    judged = judge(crew, load, ledger, evidence, searches=searches)
    judged.figures["kills"] = dict(crew.kills)
    judged.demand("ended by itself", crew.surprises)
    return judged


def judge(
    suite: Suite, load: Load, ledger: Ledger, evidence: Evidence, *, searches: int
) -> Judgement:
    """Ask everybody, and hold it against the ledgers."""
    judged = Judgement()
    shown = _shown(suite, load, judged)
    _judge_stored(shown, ledger, judged)
    mails = [mail for mail in evidence.mails if _is_of(mail, load)]
    stored = _stored(shown, ledger)
    _judge_owed(suite, stored, mails, judged)
    _judge_access(mails, ledger, judged)
    _judge_twins(mails, judged)
    judged.demand("I7 left", {what for what, rows in evidence.left.items() if rows})
    _judge_search(suite, load, stored, searches=searches, judged=judged)
    seconds = sorted(acked.seconds for acked in ledger.acked.values())
    judged.figures |= {
        "acknowledged": len(ledger.acked),
        "stored": len(stored),
        "in doubt": len(ledger.doubtful),
        "failed calls": dict(ledger.failures),
        "p99 answer s": round(seconds[math.ceil(len(seconds) * 0.99) - 1], 3),
        "longest call s": round(max(seconds[-1], ledger.longest_failure_s), 3),
    }
    return judged


def _shown(
    suite: Suite, load: Load, judged: Judgement
) -> dict[str, list[tuple[str, Message]]]:
    """Every word with the messages that show it; and the order of each channel (I6)."""
    found: dict[str, list[tuple[str, Message]]] = defaultdict(list)
    for number in range(load.projects):
        for kind in ("broadcast", "direct/north"):
            channel = f"{load.project(number)}/{kind}"
            seen = list(_pages(suite, "inga", channel))
            other = list(_pages(suite, "nola", channel))
            numbers = [message.number for message in seen]
            judged.demand(
                "I6 two readers, two orders", [channel] if seen != other else []
            )
            judged.demand(
                "I6 gaps or twins in numbers",
                [channel] if numbers != list(range(1, len(numbers) + 1)) else [],
            )
            for message in seen:
                for word in WORD.findall(message.text):
                    found[word].append((channel, message))
    return found


def _pages(suite: Suite, person: str, channel: str) -> Iterator[Message]:
    caller, after = suite.caller(person), 0
    while True:
        try:
            page = caller.messages.page(channel=channel, after=after, limit=PAGE)
        except Refused:
            return
        yield from page.messages
        if not page.more_after:
            return
        after = page.messages[-1].number


def _judge_stored(
    shown: dict[str, list[tuple[str, Message]]], ledger: Ledger, judged: Judgement
) -> None:
    lost, other = [], []
    for word, acked in ledger.acked.items():
        messages = shown.get(word, [])
        if not messages:
            lost.append(word)
        elif (messages[0][1].id, messages[0][1].number) != (acked.id, acked.number):
            other.append(word)
    judged.demand("I1 acknowledged and lost", lost)
    judged.figures["acknowledged lost"] = len(lost)
    judged.demand("I1 stored otherwise than acknowledged", other)
    judged.demand("I2 shown twice", [w for w, ms in shown.items() if len(ms) > 1])
    known = ledger.acked.keys() | ledger.doubtful
    judged.demand("I2 nobody posted it", shown.keys() - known)
    in_order = sorted(ledger.acked.values(), key=lambda acked: acked.word)
    last: dict[tuple[str, str], int] = {}
    for acked in in_order:
        who = (acked.channel, acked.word[:6])
        if last.get(who, 0) >= acked.number:
            judged.demand("I6 one client's order", [acked.word])
        last[who] = acked.number


def _stored(
    shown: dict[str, list[tuple[str, Message]]], ledger: Ledger
) -> dict[str, Acked]:
    """Everything that is stored, with what is known of it."""
    stored = {}
    for word, messages in shown.items():
        channel, message = messages[0]
        stored[word] = ledger.acked.get(word) or Acked(
            word=word,
            channel=channel,
            author=message.author.id,
            id=message.id,
            number=message.number,
            at=0.0,
            seconds=0.0,
        )
    return stored


def _is_of(mail: Handed, load: Load) -> bool:
    return any(word.startswith(f"w{load.run:02d}c") for word in mail.words)


def _judge_owed(
    suite: Suite, stored: dict[str, Acked], mails: list[Handed], judged: Judgement
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
    unexplained = [*_untold(unshown, mails)]
    judged.demand("I3 owed and lost", unexplained)
    judged.demand(
        "I5 told in two different mails",
        [one for one, identities in got.items() if len(identities) > 1],
    )
    judged.demand(
        "I3 told of what is not stored", sorted({w for w, _ in got} - stored.keys())
    )
    judged.figures |= {
        "notifications owed": len(owed),
        "notifications lost": len(unexplained),
        "not sent, with a reason": len(missing) - len(unshown),
        "told as one of so many more": len(unshown) - len(unexplained),
    }


def _untold(
    unshown: list[tuple[str, str]], mails: list[Handed]
) -> Iterator[tuple[str, str]]:
    """What no mail shows, beyond those that a person's mails only count."""
    counted: Counter[str] = Counter()
    for mail in {mail.id: mail for mail in mails}.values():
        counted[mail.to] += mail.more
    for word, to in unshown:
        counted[to] -= 1
        if counted[to] < 0:
            yield word, to


def _is_explained(suite: Suite, message: str, person: str) -> bool:
    told = suite.caller(service=OPERATIONS).notifications.explain(
        message=message, person=person
    )
    return any(one.state in {"suppressed", "dead"} for one in told.people)


def _judge_access(mails: list[Handed], ledger: Ledger, judged: Judgement) -> None:
    """Nobody else, and South's follower only while South is on the project (I4)."""
    people = {part.id for part in CAST} - {"ivy", "nat"}
    judged.demand("I4 a stranger", [m.to for m in mails if m.to not in people])
    late = 0.0
    channels = {acked.word: acked.channel for acked in ledger.acked.values()}
    for mail in mails:
        if mail.to != "sol":
            continue
        at = channels.get(mail.words[0], "")
        judged.demand("I4 another partner's channel", [at] if "direct" in at else [])
        for begin, end in ledger.barred[at.partition("/")[0]]:
            if begin < mail.begun < end:
                late = max(late, mail.begun - begin)
    judged.figures["latest mail after a withdrawal s"] = round(late, 3)
    judged.demand("I4 mailed after losing access", [late] if late > WINDOW_S else [])


def _judge_twins(mails: list[Handed], judged: Judgement) -> None:
    taken = Counter(mail.id for mail in mails)
    different = {mail.id: (mail.to, mail.words) for mail in mails}
    judged.demand(
        "I5 one Message-ID, two mails",
        [m.id for m in mails if different[m.id] != (m.to, m.words)],
    )
    judged.figures |= {
        "mails": len(taken),
        "duplicate mails": sum(taken.values()) - len(taken),
        "cut after acceptance": sum(mail.cut for mail in mails),
    }


def _judge_search(
    suite: Suite,
    load: Load,
    stored: dict[str, Acked],
    *,
    searches: int,
    judged: Judgement,
) -> None:
    luck = random.Random(load.seed)
    asked = luck.sample(sorted(stored), min(searches, len(stored)))
    wrong = []
    for word in asked:
        found = suite.caller("inga").search.find(
            query=word, project=stored[word].channel.partition("/")[0]
        )
        if [hit.message for hit in found.hits] != [stored[word].id]:
            wrong.append(word)
    judged.demand("I8 not found, or found otherwise", wrong)
    for word in load_only(load, stored):
        for number in range(load.projects):
            hits = suite.caller("inga").search.find(
                query=word, project=load.project(number)
            )
            judged.demand("I8 found though not stored", [word] if hits.hits else [])
    status = suite.caller(service=OPERATIONS).search.status()
    judged.figures |= {"searched": len(asked), "documents": status.documents}


def load_only(load: Load, stored: dict[str, Acked]) -> list[str]:
    """Some words that clients would have used, and that nothing stored holds."""
    drafted = (
        load.word(0, serial) for serial in range(load.first, load.first + load.each)
    )
    unused = (word for word in drafted if word not in stored)
    return [*(load.word(load.clients, n) for n in range(3)), *islice(unused, 5)]


def naive_losses(crew: Crew, ledger: Ledger) -> dict[str, int]:
    """What the control lost and doubled under the same faults, and had time for."""
    until = time.time() - NAIVE_TIME_S
    acked = {word for word, at in ledger.naive.items() if at < until}
    got: Counter[tuple[str, str]] = Counter()
    for mail in handed(crew.sink_log):
        for word in mail.words:
            if word.startswith("w99"):
                got[word, mail.to] += 1
    with psycopg.connect(crew.database_url("naive")) as database:
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
