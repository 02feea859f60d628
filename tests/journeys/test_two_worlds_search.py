"""No search result of one partner depends on another partner (rules 6 and 36).

The two worlds of `test_two_worlds`, with rare words planted where North may not read,
and everything that a search can ask about them: words, parts, phrases, exclusions,
authors, files, times, pages.
"""

import itertools
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import rule, run_state_machine_as_test

from clp_suite.suite import Suite
from tests.journeys.test_two_worlds import NORTH, TwoWorlds
from tests.journeys.worlds import two_worlds

RUNS = 4
STEPS = 6
MAX_PAGES = 4

RARE = ("quagga", "okapi", "字幕珍", "ลิ่น")
TEXTS = st.sampled_from([f"{word} and {other}" for word in RARE for other in RARE])
FORMS = st.sampled_from(
    ["{}", "{}*", '"{} and"', "-{}", "and -{}", "from:sam {}", "from:sol", "from:so*",
     "file:{}", "has:attachment", "-has:attachment", "after:2020 {}", "on:2020 {}", "{} and"]
)  # fmt: skip
FOUND_BOTH = (
    "message",
    "channel",
    "number",
    "author",
    "author_name",
    "snippet",
    "attachments",
)


class SearchedWorlds(TwoWorlds):
    """The same two worlds, and more to look for in them."""

    @rule(person=st.sampled_from(["sam", "sol", "ivy"]), text=TEXTS)
    def the_neighbour_posts_rare_words(self, person: str, text: str) -> None:
        self.in_neighboured(self._post(person, self.south, text))

    @rule(word=st.sampled_from(RARE))
    def the_neighbour_attaches_a_file_with_a_rare_name(self, word: str) -> None:
        def attach(suite: Suite) -> None:
            name = suite.files("sol").upload(
                channel=self.south, name=f"{word}.csv", body=b"a,1\n"
            )
            suite.client("sol").messages.post(
                channel=self.south,
                key=f"{self.project}-{next(self.keys)}",
                attachments=[name],
            )

        self.in_neighboured(attach)

    @rule(text=TEXTS, where=st.sampled_from("nb"))
    def the_studio_posts_rare_words_where_north_reads(
        self, text: str, where: str
    ) -> None:
        channel = {"n": self.north, "b": self.broadcast}[where]
        self.both(self._post("ivy", channel, text))

    @rule(
        person=st.sampled_from(NORTH),
        form=FORMS,
        word=st.sampled_from(RARE),
        limit=st.sampled_from([1, 20]),
    )
    def north_looks_for_a_rare_word(
        self, person: str, form: str, word: str, limit: int
    ) -> None:
        self.settle()
        query = form.format(word)
        for scope in (
            {"project": self.project},
            {"channel": self.north},
            {"channel": self.south},
        ):
            self.same(
                lambda s, in_=scope: _all_pages(
                    s, person, query=query, limit=limit, **in_
                )
            )


def _all_pages(suite: Suite, person: str, **query: Any) -> list[Any]:
    """Read all pages: everything but the encrypted cursors."""
    pages: list[Any] = []
    cursor: str | None = None
    for _ in itertools.repeat(None, MAX_PAGES):
        page = suite.client(person).search.find(cursor=cursor, **query)
        hits = [[getattr(hit, name) for name in FOUND_BOTH] for hit in page.hits]
        pages.append([hits, page.total, page.total_is_exact, page.notes])
        cursor = page.cursor
        if cursor is None:
            break
    return pages


@pytest.mark.property
@pytest.mark.timeout(36_000)
def test_two_worlds_search_the_same_for_one_partner(tmp_path: Path) -> None:
    with two_worlds(tmp_path) as (SearchedWorlds.alone, SearchedWorlds.neighboured):
        run_state_machine_as_test(
            SearchedWorlds,
            settings=settings(
                max_examples=RUNS, stateful_step_count=STEPS, deadline=None
            ),
        )
