"""Clients that post until acknowledged, while access comes and goes."""

import random
import time
from dataclasses import dataclass, replace
from itertools import count
from typing import Final

import eventlet

from clp_contracts.client import Clients
from clp_contracts.errors import CallFailed, Refused
from clp_contracts.messages import Posted
from clp_suite.sample_data import CastMember
from clp_suite.suite import Suite
from tests.faults.ack_log import Acked, AckLog

STUDIO: Final = ("inga", "ines", "ira")
NORTH: Final = ("nola", "nils", "noor")
CAST: Final = (
    CastMember("ivy", "Ivy Lane"),
    CastMember("nat", "Nat Moreau", "north"),
    CastMember("sol", "Sol Reyes", "south"),
    *(CastMember(person, person.title()) for person in STUDIO),
    *(CastMember(person, person.title(), "north") for person in NORTH),
)
PASSING: Final = frozenset({"service.unavailable", "service.failed"})
REST_AFTER_FAILURE_S: Final = 0.1
MAX_REST_S: Final = 2.0


@dataclass(frozen=True, kw_only=True)
class Load:
    """How much is posted; three people are to be told of every message."""

    run: int
    clients: int = 8
    each: int = 50
    # Between two posts of one client.
    pace_s: float = 0.0
    # So many messages in a hundred mention their three recipients.
    mentions: int = 20
    # So many failed posts in a hundred are abandoned and stay in doubt.
    abandoned: int = 5
    projects: int = 4
    seed: int = 0
    first: int = 0

    def again(self) -> "Load":
        """Return the same load with words of its own."""
        return replace(self, first=self.first + self.each)

    def going_on(self, first: int, seed: int) -> "Load":
        """Return the same load from a later word on."""
        return replace(self, first=first, seed=seed)

    @property
    def messages(self) -> int:
        """Number of messages in all."""
        return self.clients * self.each

    def project(self, number: int) -> str:
        """Return the id of one of the projects of this run."""
        return f"r{self.run}p{number}"

    def word(self, client: int, serial: int) -> str:
        """Return the word that marks one message."""
        return f"w{self.run:02d}c{client:02d}n{serial:06d}"


def recipients_of(acked: Acked) -> tuple[str, ...]:
    """Return who must be notified: three followers, or the same three mentioned."""
    return STUDIO if acked.author == "nat" else NORTH


def create_world(suite: Suite, load: Load) -> None:
    """Create people, projects and followers."""
    directory = suite.client(service="directory").projects
    for partner in ("north", "south"):
        directory.put_partner(id=partner, name=partner.title())
    for part in CAST:
        directory.put_person(
            id=part.id,
            name=part.name,
            email=part.email,
            partner=part.partner,
            internal=part.partner is None,
            roles=part.roles,
        )
    for number in range(load.projects):
        project = load.project(number)
        directory.put_project(id=project, title=f"Night Train {number}")
        for partner in ("north", "south"):
            directory.assign_partner(project=project, partner=partner, languages=["fr"])
        for person in (*STUDIO, *NORTH, "sol"):
            suite.client(person).projects.follow(project=project)


class Client:
    """Posts its messages in sequence, each until it is acknowledged."""

    def __init__(self, number: int, load: Load, ack_log: AckLog) -> None:
        self._number, self._load, self._ack_log = number, load, ack_log
        self._rng = random.Random(f"{load.seed} {number}")
        self._author = "nat" if number % 2 else "ivy"
        self.done = 0
        self.enough = False

    def work(self, suite: Suite) -> None:
        """Post everything."""
        client = suite.client(self._author)
        for serial in range(self._load.first, self._load.first + self._load.each):
            if self.enough:
                return
            self._post(client, serial)
            self.done += 1
            eventlet.sleep(self._load.pace_s)

    def _post(self, client: Clients, serial: int) -> None:
        word = self._load.word(self._number, serial)
        channel, text = self._draft(word)
        for attempt in count(1):
            began = time.monotonic()
            try:
                posted = client.messages.post(channel=channel, text=text, key=word)
            except (CallFailed, Refused) as error:
                self._note_failure(error, time.monotonic() - began)
                if attempt == 1 and self._rng.randrange(100) < self._load.abandoned:
                    self._ack_log.mark_uncertain(word)
                    return
                eventlet.sleep(min(REST_AFTER_FAILURE_S * attempt, MAX_REST_S))
            else:
                self._ack_log.ack(self._acked(word, posted, time.monotonic() - began))
                return

    def _note_failure(self, error: CallFailed | Refused, seconds: float) -> None:
        if isinstance(error, Refused) and error.code not in PASSING:
            raise AssertionError(f"refused under faults: {error}") from error
        code = error.code if isinstance(error, Refused) else "no answer"
        self._ack_log.fail(code, seconds)

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
        rng = random.Random(f"{load.seed} {word}")
        project = load.project(rng.randrange(load.projects))
        is_broadcast = self._author == "ivy" and rng.random() < 0.5
        channel = f"{project}/{'broadcast' if is_broadcast else 'direct/north'}"
        if rng.randrange(100) >= load.mentions:
            return channel, f"{word} is ready"
        three = STUDIO if self._author == "nat" else NORTH
        handles = " ".join(f"@{person.title()}" for person in three)
        return channel, f"{handles} {word} needs you"


def churn_access(
    suite: Suite, load: Load, ack_log: AckLog, rest_s: float = 0.5
) -> None:
    """Withdraw and assign South until stopped: its follower must get no mail."""
    directory = suite.client(service="directory").projects
    for turn in count():
        project = load.project(turn % load.projects)
        _insist(
            lambda p=project: directory.withdraw_partner(project=p, partner="south")
        )
        barred_from = time.time()
        eventlet.sleep(rest_s)
        ack_log.without_access[project].append((barred_from, time.time()))
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


def post_to_control(suite: Suite, ack_log: AckLog, pace_s: float) -> None:
    """The client of the control: retries like the others."""
    if suite._pool is None:
        raise RuntimeError("the suite is not running")
    for serial in count():
        word = f"w99c00n{serial:06d}"
        while True:
            try:
                suite._pool.call("naive_posts", "post", {"word": word})
            except (CallFailed, Refused):
                eventlet.sleep(REST_AFTER_FAILURE_S)
            else:
                break
        ack_log.naive[word] = time.time()
        eventlet.sleep(pace_s)
