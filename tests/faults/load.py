"""Clients that post until they are answered, and people who come and go meanwhile."""

import random
import time
from dataclasses import dataclass, replace
from itertools import count
from typing import Final

import eventlet

from clp_contracts.client import Callers
from clp_contracts.errors import CallFailed, Refused
from clp_contracts.messages import Posted
from clp_suite.sample_data import Part
from clp_suite.suite import Suite
from tests.faults.ack_log import Acked, Ledger

STUDIO: Final = ("inga", "ines", "ira")
NORTH: Final = ("nola", "nils", "noor")
CAST: Final = (
    Part("ivy", "Ivy Lane"),
    Part("nat", "Nat Moreau", "north"),
    Part("sol", "Sol Reyes", "south"),
    *(Part(person, person.title()) for person in STUDIO),
    *(Part(person, person.title(), "north") for person in NORTH),
)
PASSING: Final = frozenset({"service.unavailable", "service.failed"})
REST_AFTER_FAILURE_S: Final = 0.1
LONGEST_REST_S: Final = 2.0


@dataclass(frozen=True, kw_only=True)
class Load:
    """How much is posted: three are to be told of every message."""

    run: int
    clients: int = 8
    each: int = 50
    # Between two posts of one client.
    pace_s: float = 0.0
    # So many messages in a hundred mention their three recipients.
    mentions: int = 20
    # So many failed posts in a hundred are given up and stay in doubt.
    given_up: int = 5
    projects: int = 4
    seed: int = 0
    first: int = 0

    def again(self) -> "Load":
        """As much once more, with words of its own."""
        return replace(self, first=self.first + self.each)

    def going_on(self, first: int, seed: int) -> "Load":
        """The same from a later word on."""
        return replace(self, first=first, seed=seed)

    @property
    def messages(self) -> int:
        """How many are posted in all."""
        return self.clients * self.each

    def project(self, number: int) -> str:
        """The name of one of the projects of this run."""
        return f"r{self.run}p{number}"

    def word(self, client: int, serial: int) -> str:
        """The marked word of a message, which no other message has."""
        return f"w{self.run:02d}c{client:02d}n{serial:06d}"


def recipients_of(acked: Acked) -> tuple[str, ...]:
    """Who is owed a notification: three followers, or the same three mentioned."""
    return STUDIO if acked.author == "nat" else NORTH


def set_scene(suite: Suite, load: Load) -> None:
    """People, projects and followers."""
    directory = suite.caller(service="directory").projects
    for partner in ("north", "south"):
        directory.put_partner(id=partner, name=partner.title())
    for part in CAST:
        directory.put_person(
            id=part.id,
            name=part.name,
            email=part.email,
            partner=part.partner,
            roles=part.roles,
        )
    for number in range(load.projects):
        project = load.project(number)
        directory.put_project(id=project, title=f"Night Train {number}")
        for partner in ("north", "south"):
            directory.assign_partner(project=project, partner=partner, languages=["fr"])
        for person in (*STUDIO, *NORTH, "sol"):
            suite.caller(person).projects.follow(project=project)


class Client:
    """Posts its messages one after the other, each until it is answered."""

    def __init__(self, number: int, load: Load, ledger: Ledger) -> None:
        self._number, self._load, self._ledger = number, load, ledger
        self._luck = random.Random(f"{load.seed} {number}")
        self._author = "nat" if number % 2 else "ivy"
        self.done = 0
        self.enough = False

    def work(self, suite: Suite) -> None:
        """Post everything."""
        caller = suite.caller(self._author)
        for serial in range(self._load.first, self._load.first + self._load.each):
            if self.enough:
                return
            self._post(caller, serial)
            self.done += 1
            eventlet.sleep(self._load.pace_s)

    def _post(self, caller: Callers, serial: int) -> None:
        word = self._load.word(self._number, serial)
        channel, text = self._draft(word)
        for attempt in count(1):
            began = time.monotonic()
            try:
                posted = caller.messages.post(channel=channel, text=text, key=word)
            except (CallFailed, Refused) as error:
                self._note_failure(error, time.monotonic() - began)
                if attempt == 1 and self._luck.randrange(100) < self._load.given_up:
                    self._ledger.doubt(word)
                    return
                eventlet.sleep(min(REST_AFTER_FAILURE_S * attempt, LONGEST_REST_S))
            else:
                self._ledger.ack(self._acked(word, posted, time.monotonic() - began))
                return

    def _note_failure(self, error: CallFailed | Refused, seconds: float) -> None:
        if isinstance(error, Refused) and error.code not in PASSING:
            raise AssertionError(f"refused under faults: {error}") from error
        code = error.code if isinstance(error, Refused) else "no answer"
        self._ledger.fail(code, seconds)

    def _acked(self, word: str, posted: Posted, seconds: float) -> Acked:
        return Acked(
            word=word,
            channel=posted.channel,
            author=self._author,
            id=posted.id,
            number=posted.number,
            at=time.time(),
            seconds=seconds,
        )

    def _draft(self, word: str) -> tuple[str, str]:
        load = self._load
        # The same word, the same draft: a client that was killed asks for it again.
        luck = random.Random(f"{load.seed} {word}")
        project = load.project(luck.randrange(load.projects))
        is_broadcast = self._author == "ivy" and luck.random() < 0.5
        channel = f"{project}/{'broadcast' if is_broadcast else 'direct/north'}"
        if luck.randrange(100) >= load.mentions:
            return channel, f"{word} is ready"
        three = STUDIO if self._author == "nat" else NORTH
        handles = " ".join(f"@{person.title()}" for person in three)
        return channel, f"{handles} {word} needs you"


def come_and_go(suite: Suite, load: Load, ledger: Ledger, rest_s: float = 0.5) -> None:
    """South is withdrawn and assigned again, for ever: its follower must not hear."""
    directory = suite.caller(service="directory").projects
    for turn in count():
        project = load.project(turn % load.projects)
        _insist(
            lambda p=project: directory.withdraw_partner(project=p, partner="south")
        )
        barred_from = time.time()
        eventlet.sleep(rest_s)
        ledger.barred[project].append((barred_from, time.time()))
        _insist(
            lambda p=project: directory.assign_partner(
                project=p, partner="south", languages=["fr"]
            )
        )
        eventlet.sleep(rest_s)


def _insist(call: object) -> None:
    while True:
        try:
            call()  # type: ignore[operator]
        except (CallFailed, Refused):
            eventlet.sleep(REST_AFTER_FAILURE_S)
        else:
            return


def post_naively(suite: Suite, ledger: Ledger, pace_s: float) -> None:
    """The control's client: as stubborn as the others."""
    if suite._lines is None:
        raise RuntimeError("the suite is not running")
    for serial in count():
        word = f"w99c00n{serial:06d}"
        while True:
            try:
                suite._lines.call(("naive_posts", "post"), {"word": word}, {})
            except (CallFailed, Refused):
                eventlet.sleep(REST_AFTER_FAILURE_S)
            else:
                break
        ledger.naive[word] = time.time()
        eventlet.sleep(pace_s)
