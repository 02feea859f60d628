"""Two suites side by side that differ only in what one partner must never notice."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from clp_chassis.concurrency.rate_limiter import NO_LIMIT
from clp_contracts.errors import Refused
from clp_contracts.serialization import dump
from clp_suite.embedded import EmbeddedSuite
from clp_suite.http_client import HttpResponse
from clp_suite.sample_data import CAST, PARTNERS, CastMember
from clp_suite.suite import Suite
from tests.journeys.portal_pages import PortalReader

# Hexadecimal ids, and the token of an unsubscribe link.
RANDOM = re.compile(
    r"[0-9a-f]{12,}|(?<=/-/unsubscribe/)[\w-]+|(?<=\?subject=)[\w-]{43}"
)
# The soft line break of quoted-printable, which may part a token.
FOLD = "=\r\n"
TIMES = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(\+00:00|Z)?"
    r"|\w{3}, \d{1,2} \w{3} \d{4} \d\d:\d\d(:\d\d)?( \+0000| UTC| GMT)?"
    r"|\d{1,2} \w+ \d{4},? (at )?\d\d:\d\d( UTC)?"
)

TEXTS = st.sampled_from(
    [
        "the zebra crosses",
        "@Nia Roux please look",
        "@nat@north.example please look",
        "@Ivy Lane a question",
        "@Sam Duarte are you there?",
        "@Sol",
        "@sol@south.example hm",
        "字幕は明日",
        "quokka",
        "",
    ]
)
# What the studio says to everybody may differ in whom it reaches: the one exception.
BROADCASTS = st.sampled_from(
    [
        "the zebra crosses",
        "@Nat Moreau look",
        "@Nat Moreau and @Sam Duarte look",
        "@Sam Duarte and @Nat Moreau hear this",
        "quokka",
        "字幕は明日",
        "a file came",
    ]
)
QUERIES = st.sampled_from(
    ["zebra", "quokka", "明", "wombat", '"zebra crosses"', "-zebra wom", "sam", "cue"]
)
FILES = st.sampled_from(["cue.csv", "quokka.csv", "cue.exe", "字幕.csv"])


class World:
    """One of the two suites, and a view of it without random ids and times."""

    def __init__(self, suite: EmbeddedSuite, *, with_neighbour: bool) -> None:
        self.suite = suite
        self.portal = PortalReader(suite, self.neutral)
        self.with_neighbour = with_neighbour
        self._names: dict[str, str] = {}
        self._mails_before = 0
        # The result of the last call; None if it was refused.
        self.result: Any = None
        directory = suite.client(service="directory")
        for partner in PARTNERS:
            if partner != "south" or with_neighbour:
                directory.projects.put_partner(id=partner, name=PARTNERS[partner])
        for member in CAST:
            if member.partner != "south" or with_neighbour:
                self.put(member)

    def put(self, member: CastMember) -> None:
        """Store a person in this world."""
        self.suite.client(service="directory").projects.put_person(
            id=member.id,
            name=member.name,
            email=member.email,
            partner=member.partner,
            internal=member.partner is None,
            roles=member.roles,
        )

    def begin(self) -> None:
        """Begin a run: ids get new names, earlier mails are left out."""
        self.suite.settle()
        self._names = {}
        self._mails_before = len(self.suite.mails())

    def outcome_of(self, call: Callable[[Suite], Any]) -> str:
        """The result of a call or its refusal, as comparable text."""
        self.result = None
        try:
            result = self.result = call(self.suite)
        except Refused as refused:
            result = {"refused": refused.code, "detail": refused.detail_json}
        return self.neutral(repr(dump(result)))

    def mails_to(self, people: tuple[str, ...]) -> list[str]:
        """The mails of this run to some people, byte for byte but ids and times."""
        found = []
        for raw in self.suite.mails()[self._mails_before :]:
            text = raw.decode("utf-8", "surrogateescape").replace(FOLD, "")
            to = re.search(r"^To: .*$", text, re.MULTILINE)
            if to and any(f"{person}@" in to[0] for person in people):
                found.append(RANDOM.sub("ID", TIMES.sub("TIME", text)))
        return sorted(found)

    def neutral(self, text: str) -> str:
        """Text with random ids named in the order of their appearance."""

        def name(match: re.Match[str]) -> str:
            return self._names.setdefault(match[0], f"id-{len(self._names)}")

        return RANDOM.sub(name, TIMES.sub("TIME", text))


def response_view(outcome_of: HttpResponse) -> tuple[int, bytes, dict[str, str]]:
    """A response without headers that change by themselves."""
    headers = {k: v for k, v in outcome_of.headers.items() if k not in {"Date", "ETag"}}
    return outcome_of.status, outcome_of.body, headers


@contextmanager
def two_worlds(folder: Path) -> Iterator[tuple[World, World]]:
    """Start the world of one partner alone, and the one in which it has a neighbour."""
    with (
        EmbeddedSuite(folder / "alone", rate_limit=NO_LIMIT, portal=True) as alone,
        EmbeddedSuite(
            folder / "neighboured", rate_limit=NO_LIMIT, portal=True
        ) as neighboured,
    ):
        yield (
            World(alone, with_neighbour=False),
            World(neighboured, with_neighbour=True),
        )
