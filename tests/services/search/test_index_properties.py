"""Whatever happens to messages, the index matches a scan of all of them."""

import random
from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clp_search.engine import Document
from clp_search.highlighting import VerifiedHit
from clp_search.query import parse
from tests.services.search.scenario import (
    EVERYWHERE,
    START,
    Engines,
    apply_to,
    deleted,
    document,
    edited,
    search_ids,
)
from tests.services.search.texts import pieces, texts

commands = st.lists(
    st.tuples(
        st.sampled_from(["post", "post", "post", "edit", "delete", "write", "again"]),
        st.integers(0, 30),
        texts,
        st.sampled_from(sorted(EVERYWHERE)),
        st.sampled_from([(), ("cue-sheet_v03.pdf",), ("最終版.mov",)]),
    ),
    min_size=6,
    max_size=30,
)
filters = st.sampled_from(
    ["", "", "", "from:ivy", "-from:nat", "has:file", "-has:file", "file:cue", "-mix",
     "after:2026-11-01", "before:2026-11-02", "on:2026-11", "-final"]
)  # fmt: skip
queries = st.tuples(
    st.lists(pieces, min_size=1, max_size=3),
    st.sampled_from(["", '"', "*", "-"]),
    filters,
).map(
    lambda q: {
        '"': f'"{" ".join(q[0])}" {q[2]}',
        "*": f"{' '.join(q[0])}* {q[2]}",
        "-": f"-{q[0][0]} {q[2]}",
    }.get(q[1], f"{' '.join(q[0])} {q[2]}")
)


class Happening:
    """The state of all messages, beside the index they are applied to."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self.stored: dict[str, Document] = {}

    def post(self, number: int, text: str, **given_: object) -> Document:
        author = self._chance.choice(["ivy", "nat"])
        posted = document(
            number,
            text,
            author=author,
            author_name=author.title(),
            posted_at=START - timedelta(hours=self._chance.randrange(20)),
            **given_,
        )
        self.stored[posted.message] = posted
        return posted

    def change(
        self, which: int, change: Callable[..., Document], *given_: str
    ) -> Document:
        """Change some message, unless it is deleted."""
        old = self.reapply(which)
        if not old.deleted:
            self.stored[old.message] = change(old, *given_)
        return self.stored[old.message]

    def reapply(self, which: int) -> Document:
        """Apply some message again, unchanged."""
        return self.stored[sorted(self.stored)[which % len(self.stored)]]

    def read_all(self, query: str, channels: list[str]) -> list[str]:
        parsed = parse(query)
        newest_first = sorted(self.stored.values(), key=lambda d: d.key, reverse=True)
        return [
            d.message
            for d in newest_first
            if d.channel in channels and VerifiedHit(d).matches_query(parsed)
        ]


@pytest.mark.property
@settings(max_examples=60)
@given(commands, st.lists(queries, min_size=10, max_size=14), st.randoms())
def test_the_index_matches_a_scan_of_all_messages(
    engines: Engines,
    happened: list[tuple[str, int, str, str, tuple[str, ...]]],
    queries: list[str],
    chance: random.Random,
) -> None:
    happening = Happening(chance)
    with engines() as engine:
        for number, (command, which, text, channel, files) in enumerate(happened):
            match command if happening.stored else "post":
                case "post":
                    apply_to(
                        engine,
                        [
                            happening.post(
                                number, text, channel=channel, attachments=files
                            )
                        ],
                    )
                case "edit":
                    apply_to(engine, [happening.change(which, edited, text)])
                case "delete":
                    apply_to(engine, [happening.change(which, deleted)])
                case "write":
                    engine.checkpoint()
                case _:
                    apply_to(engine, [happening.reapply(which)])
        for query in filter(parse, queries):
            channels = chance.sample(sorted(EVERYWHERE), chance.randrange(1, 4))
            assert search_ids(engine, query, channels) == happening.read_all(
                query, channels
            )
