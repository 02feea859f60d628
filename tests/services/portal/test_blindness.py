"""What a person may not see does not exist: same bytes, same headers, same calls."""

from collections.abc import Callable

import pytest

from clp_suite import EmbeddedSuite
from tests.services.portal.browser import Browser, Response

Open = Callable[..., Browser]
UNSTABLE = {"Date"}
PAIRS = [
    ("/p1/direct/south", "/p1/direct/nobody"),
    ("/p1/direct/south/1", "/p1/direct/nobody/1"),
    ("/p1/direct/south?q=zebra", "/p1/direct/nobody?q=zebra"),
    ("/p1/direct/south?latest=1&fragment=1", "/p1/direct/nobody?latest=1&fragment=1"),
    ("/p2", "/p999"),
    ("/p2/broadcast", "/p999/broadcast"),
    ("/p2/broadcast/7", "/p999/broadcast/7"),
]
API_PAIRS = [
    (
        "/-/api/channels/p1/direct/south/messages",
        "/-/api/channels/p1/direct/x/messages",
    ),
    ("/-/api/channels/p2/broadcast/messages", "/-/api/channels/p9/broadcast/messages"),
    (
        "/-/api/channels/p1/direct/south/mentionable",
        "/-/api/channels/p1/direct/x/mentionable",
    ),
    (
        "/-/api/search?query=a&channel=p1/direct/south",
        "/-/api/search?query=a&channel=p1/direct/x",
    ),
    ("/-/api/projects/p2", "/-/api/projects/p9"),
    ("/-/api/projects/p2/channels", "/-/api/projects/p9/channels"),
    ("/-/api/unread?projects=p2", "/-/api/unread?projects=p9"),
]


def seen(response: Response) -> tuple[int, bytes, dict[str, str]]:
    kept = {k: v for k, v in response.headers.items() if k not in UNSTABLE}
    return response.status, response.body, kept


@pytest.mark.parametrize(("hidden", "missing"), PAIRS)
def test_a_hidden_page_is_a_missing_page(
    browser: Open, calls: list[str], hidden: str, missing: str
) -> None:
    somebody = browser("nat")
    somebody.get("/")
    calls.clear()
    one = somebody.send("GET", hidden)
    calls_of_hidden = calls.copy()
    calls.clear()
    other = somebody.send("GET", missing)
    assert one.status == 404
    assert seen(one) == seen(other)
    assert [c for c in calls_of_hidden if c != "projects.me"] == [
        c for c in calls if c != "projects.me"
    ]


@pytest.mark.parametrize(("hidden", "missing"), API_PAIRS)
def test_a_hidden_thing_of_the_api_is_a_missing_one(
    browser: Open, hidden: str, missing: str
) -> None:
    somebody = browser("nat")
    one, other = somebody.call("GET", hidden), somebody.call("GET", missing)
    assert seen(one) == seen(other)


@pytest.mark.parametrize(
    ("method", "hidden", "missing", "body"),
    [
        ("POST", "p1/direct/south/messages", "p1/direct/x/messages", {"text": "Hello"}),
        (
            "PUT",
            "p1/direct/south/read-marker",
            "p1/direct/x/read-marker",
            {"number": 1},
        ),
    ],
)
def test_nothing_can_be_done_to_a_hidden_channel(
    browser: Open, method: str, hidden: str, missing: str, body: dict[str, object]
) -> None:
    somebody = browser("nat")
    one, other = (
        somebody.call(method, f"/-/api/channels/{path}", body, Idempotency_Key="k")
        for path in (hidden, missing)
    )
    assert one.status == 404
    assert seen(one) == seen(other)


def test_a_hidden_message_and_file_are_missing_ones(
    browser: Open, suite: EmbeddedSuite
) -> None:
    sam = suite.client("sam").messages
    posted = sam.post(channel="p1/direct/south", key="hidden", text="@Ivy Lane hola")
    stored = suite.files("sam").upload(
        channel="p1/direct/south", name="a.csv", body=b"a,b\n"
    )
    sam.post(channel="p1/direct/south", key="file", attachments=[stored])
    somebody = browser("nat")
    for path, thing in (
        ("/-/messages/{}/explanation", posted.id),
        ("/-/messages/{}/revisions", posted.id),
        ("/-/attachments/{}", stored),
        ("/-/api/messages/{}/explanation", posted.id),
        ("/-/api/messages/{}/revisions", posted.id),
    ):
        hidden = somebody.send("GET", path.format(thing))
        missing = somebody.send("GET", path.format("0" * 32))
        assert hidden.status == 404
        assert seen(hidden) == seen(missing)


def test_a_partner_reads_of_no_other_partner(browser: Open) -> None:
    somebody = browser("nat")
    for path in ("/", "/p1/broadcast", "/p1/direct/north", "/-/projects?q=night"):
        page = somebody.get(path).text.lower()
        for word in ("south", "subtitles", "sam ", "spanish", "west"):
            assert word not in page, (path, word)


def test_pages_are_kept_by_nobody_and_have_no_validator(browser: Open) -> None:
    somebody = browser("nat")
    for path in ("/", "/p1/broadcast", "/-/api/projects/followed", "/nothing"):
        response = somebody.get(path)
        assert response.headers["Cache-Control"] == "private, no-store"
        assert "ETag" not in response.headers
        assert "Last-Modified" not in response.headers
