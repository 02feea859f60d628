"""Two worlds: with South and without it, a stream of North gets the same bytes.

Somebody of the studio listens as well in both worlds, so that what is drawn or cached
for one reader must not show itself to another. The feed of one world holds what South
says between the lines of North: no byte, no length and no order may tell.
"""

import re
from collections.abc import Iterator

import pytest

from clp_suite import EmbeddedSuite
from tests.services.portal.test_stream import Stream
from tests.services.portal.test_two_worlds import (
    post,
    signed_in,
    stable,
    two_worlds,
)

ROUNDS = 12
# Encrypted positions: one of another length would stay as it is.
EVENT_ID = rb"(?m)^id: [\w=-]{120}$"


class Listener(Stream):
    """A stream that keeps every byte."""

    def record(self, count: int) -> bytes:
        """Read so many events and return their bytes without what is random."""
        chunks = [self.read() for _ in range(count)]
        return stable(b"".join(hidden(chunk) for chunk in chunks))


def hidden(chunk: bytes) -> bytes:
    found = re.sub(EVENT_ID, b"id: EVENT", chunk)
    assert found != chunk, "each event has an id of one length"
    return found


@pytest.fixture(scope="module")
def worlds(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[EmbeddedSuite, EmbeddedSuite]]:
    """The world with South, and the one without."""
    with two_worlds(tmp_path_factory.mktemp("live-worlds")) as both:
        yield both


def talk(suite: EmbeddedSuite, *, south: bool, part: str) -> None:
    """Let everybody speak, South before each line of the others."""
    for number in range(ROUNDS):
        if south:
            post(suite, "sam", "p1/direct/south", f"{part} {number} @Ivy Lane")
        post(
            suite, "nat" if number % 3 else "ivy", "p1/direct/north", f"{part} {number}"
        )
        if number % 4 == 0:
            post(suite, "ivy", "p1/broadcast", f"{part} for all {number}")
    suite.settle()


def recorded(suite: EmbeddedSuite, *, south: bool) -> bytes:
    """What North's stream gets while all speak, or what it is sent afterwards."""
    studio = Stream(signed_in(suite, "ivy"))
    live = Listener(signed_in(suite, "nat"))
    talk(suite, south=south, part="live")
    count = ROUNDS + ROUNDS // 4
    seen = live.record(count)
    live.close()
    talk(suite, south=south, part="missed")
    again = Listener(signed_in(suite, "nat"), live.id)
    seen += again.record(count)
    studio.texts(2 * count)
    for one in (studio, again):
        one.close()
    return seen


def test_a_stream_of_north_is_the_same_in_both_worlds(
    worlds: list[EmbeddedSuite],
) -> None:
    one = recorded(worlds[0], south=True)
    other = recorded(worlds[1], south=False)
    assert one == other
    assert one.count(b"event: message") == 2 * (ROUNDS + ROUNDS // 4)


@pytest.mark.parametrize("project", ["p2", "p999"])
def test_naming_a_hidden_project_is_naming_a_missing_one(
    worlds: list[EmbeddedSuite], project: str
) -> None:
    """In the world with South p2 is South's, in the other it exists for nobody."""
    seen = []
    for suite in worlds:
        nat = Stream(signed_in(suite, "nat"), query=f"&project={project}")
        seen.append((nat.opening.partition("id: ")[0], nat.next()))
        nat.close()
    assert seen[0] == seen[1] == ("retry: 2000\n", ("gone", {"project": project}))
