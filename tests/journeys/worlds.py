"""Two suites side by side that differ only in what one partner must never notice."""

import re
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from clp_contracts.errors import Refused
from clp_contracts.serialization import dump
from clp_suite.http_client import Answer
from clp_suite.sample_data import CAST, PARTNERS, Part
from clp_suite.suite import Suite

RANDOM = re.compile(r"[0-9a-f]{12,}")
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
    ["the zebra crosses", "@Nat Moreau look", "quokka", "字幕は明日", "a file came"]
)
QUERIES = st.sampled_from(
    ["zebra", "quokka", "明", "wombat", '"zebra crosses"', "-zebra wom", "sam", "cue"]
)
FILES = st.sampled_from(["cue.csv", "quokka.csv", "cue.exe", "字幕.csv"])


class World:
    """One of the two suites, and a view of it without random ids and times."""

    def __init__(self, suite: Suite, *, with_neighbour: bool) -> None:
        self.suite = suite
        self.with_neighbour = with_neighbour
        self._names: dict[str, str] = {}
        self._mails_before = 0
        # What the last call gave, None when it was refused.
        self.told: Any = None
        directory = suite.caller(service="directory")
        for partner in PARTNERS:
            if partner != "south" or with_neighbour:
                directory.projects.put_partner(id=partner, name=PARTNERS[partner])
        for part in CAST:
            if part.partner != "south" or with_neighbour:
                self.put(part)

    def put(self, part: Part) -> None:
        """Tell the world about a person."""
        self.suite.caller(service="directory").projects.put_person(
            id=part.id,
            name=part.name,
            email=part.email,
            partner=part.partner,
            roles=part.roles,
        )

    def begin(self) -> None:
        """Begin a run: ids get new names, earlier mails are left out."""
        self.suite.settle()
        self._names = {}
        self._mails_before = len(self.suite.mails())

    def answer(self, call: Callable[[Suite], Any]) -> str:
        """What a call gives, a refusal included, as comparable text."""
        self.told = None
        try:
            told = self.told = call(self.suite)
        except Refused as refused:
            told = {"refused": refused.code, "detail": refused.detail_json}
        return self.neutral(repr(dump(told)))

    def mails_to(self, people: tuple[str, ...]) -> list[str]:
        """The mails of this run to some people, byte for byte but ids and times."""
        found = []
        for raw in self.suite.mails()[self._mails_before :]:
            text = raw.decode("utf-8", "surrogateescape")
            to = re.search(r"^To: .*$", text, re.MULTILINE)
            if to and any(f"{person}@" in to[0] for person in people):
                found.append(RANDOM.sub("ID", TIMES.sub("TIME", text)))
        return sorted(found)

    def neutral(self, text: str) -> str:
        """Text with random ids named in the order of their appearance."""

        def name(match: re.Match[str]) -> str:
            return self._names.setdefault(match[0], f"id-{len(self._names)}")

        return RANDOM.sub(name, TIMES.sub("TIME", text))


def shown_answer(answer: Answer) -> tuple[int, bytes, dict[str, str]]:
    """An answer without what changes by itself."""
    headers = {k: v for k, v in answer.headers.items() if k not in {"Date", "ETag"}}
    return answer.status, answer.body, headers
