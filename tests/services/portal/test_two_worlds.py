"""Two worlds: with South and without it, a browser of North gets the same bytes.

Somebody of the studio looks as well in both worlds: what is cached for one reader must
not show itself to another.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from clp_chassis.concurrency.rate_limiter import NO_LIMIT
from clp_suite import EmbeddedSuite
from clp_suite.sample_data import CAST, put_cast
from tests.services.portal.browser import Browser, Response

PROJECT = "p1"
ADDRESSES = (
    "/",
    "/p1",
    "/p1/broadcast",
    "/p1/broadcast/1",
    "/p1/broadcast?latest=1",
    "/p1/broadcast?q=zebra",
    "/p1/direct/north",
    "/p1/direct/north/2",
    "/p1/direct/north?before=9",
    "/p1/direct/north?q=zebra&in=project",
    "/p1/direct/south",
    "/p1/direct/south/1",
    "/p1/direct/nobody",
    "/-/projects",
    "/-/projects?q=night",
    "/-/projects?q=south",
    "/-/mail-settings",
    "/-/help",
    "/-/api/me",
    "/-/api/projects",
    "/-/api/projects/p1",
    "/-/api/projects/p1/channels",
    "/-/api/unread?projects=p1",
    "/-/api/conversation?project=p1",
    "/-/api/channels/p1/broadcast/messages",
    "/-/api/channels/p1/direct/south/messages",
    "/-/api/channels/p1/broadcast/mentionable?typed=s",
    "/-/api/channels/p1/direct/north/mentionable?typed=s",
    "/-/api/channels/p1/direct/north/audience?text=@Sam+Duarte",
    "/-/api/search?query=zebra&project=p1",
)
# Ids, keys and times are random or pass; everything else must be the same.
UNSTABLE = (
    (re.compile(rb"[0-9a-f]{32}"), b"ID"),
    (re.compile(rb"\d{4}-\d\d-\d\dT[\d:.]+(\+00:00|Z)"), b"TIME"),
    (re.compile(rb"\b\d\d:\d\d\b"), b"CLOCK"),
    # Encrypted; one of another length would stay as it is.
    (re.compile(rb'(?<=data-event-id=")[\w=-]{120}(?=")'), b"EVENT"),
    (re.compile(rb"http://127\.0\.0\.1:\d+"), b"ORIGIN"),
)


def world(suite: EmbeddedSuite, *, south: bool) -> None:
    """Set up one world; South's part of it only where South exists."""
    people = tuple(one for one in CAST if south or one.partner != "south")
    put_cast(suite.client(service="directory"), people)
    directory = suite.client(service="directory").projects
    directory.put_project(id=PROJECT, title="Night Train")
    directory.put_project(id="p2", title="South Wind")
    directory.assign_partner(project=PROJECT, partner="north", languages=["fr"])
    if south:
        directory.assign_partner(project=PROJECT, partner="south", languages=["es"])
        directory.assign_partner(project="p2", partner="south", languages=["es"])
    for person in ("ivy", "nat", *(("sam",) if south else ())):
        suite.client(person).projects.follow(project=PROJECT)
    talk(suite, south=south)


def talk(suite: EmbeddedSuite, *, south: bool) -> None:
    """Let everybody speak in turn, South between the others."""
    for number in range(12):
        author = "ivy" if number % 3 else "nat"
        post(suite, author, "p1/direct/north", f"Line {number} of the zebra scene.")
        if south:
            post(suite, "sam", "p1/direct/south", f"La cebra {number}: zebra @Ivy Lane")
        if number % 4 == 0:
            post(suite, "ivy", "p1/broadcast", f"Zebra broadcast {number}. @Nat Moreau")
    suite.settle()


def post(suite: EmbeddedSuite, author: str, channel: str, text: str) -> None:
    key = f"{channel}-{text}"[:100]
    suite.client(author).messages.post(channel=channel, key=key, text=text)


@contextmanager
def two_worlds(folder: Path) -> Iterator[tuple[EmbeddedSuite, EmbeddedSuite]]:
    """Run the world with South, and the one without."""
    with (
        EmbeddedSuite(folder / "with", portal=True, rate_limit=NO_LIMIT) as with_south,
        EmbeddedSuite(folder / "without", portal=True, rate_limit=NO_LIMIT) as without,
    ):
        world(with_south, south=True)
        world(without, south=False)
        yield with_south, without


@pytest.fixture(scope="module")
def worlds(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[EmbeddedSuite, EmbeddedSuite]]:
    """Two worlds in which the studio has opened every page."""
    with two_worlds(tmp_path_factory.mktemp("worlds")) as both:
        for suite in both:
            studio = signed_in(suite, "ivy")
            for address in ADDRESSES:
                studio.get(address)
        yield both


def signed_in(suite: EmbeddedSuite, person: str) -> Browser:
    browser = Browser(suite.portal_url)
    browser.submit("/-/sign-in", [("person", person)])
    return browser


def seen(response: Response) -> tuple[int, bytes, list[tuple[str, bytes]]]:
    headers = [
        (name, stable(value.encode()))
        for name, value in sorted(response.headers.items())
        if name not in {"Date", "Content-Length"}
    ]
    return response.status, stable(response.body), headers


def stable(content: bytes) -> bytes:
    for pattern, name in UNSTABLE:
        content = pattern.sub(name, content)
    return content


@pytest.mark.parametrize("address", ADDRESSES)
def test_north_gets_the_same_in_both_worlds(
    worlds: tuple[EmbeddedSuite, EmbeddedSuite], address: str
) -> None:
    one, other = (seen(signed_in(suite, "nat").get(address)) for suite in worlds)
    assert one == other


def test_the_studio_does_not(worlds: tuple[EmbeddedSuite, EmbeddedSuite]) -> None:
    with_south, without = (
        signed_in(suite, "ivy").get("/p1/broadcast").text for suite in worlds
    )
    assert "South Subtitles" in with_south
    assert "South Subtitles" not in without


def test_a_refused_post_is_the_same(
    worlds: tuple[EmbeddedSuite, EmbeddedSuite],
) -> None:
    one, other = (
        seen(
            signed_in(suite, "nat").call(
                "POST",
                "/-/api/channels/p1/direct/south/messages",
                {"text": "Hello"},
                Idempotency_Key="k",
            )
        )
        for suite in worlds
    )
    assert one == other


def test_the_outcomes_of_mentions_are_the_same(
    worlds: tuple[EmbeddedSuite, EmbeddedSuite],
) -> None:
    one, other = (
        seen(
            signed_in(suite, "nat").post(
                "/p1/direct/north", text="@Sam Duarte and @Nia Roux", key="mentions"
            )
        )
        for suite in worlds
    )
    assert one == other
