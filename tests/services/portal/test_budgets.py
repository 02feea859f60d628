"""What a page may cost: calls (Appendix C of the design), and bytes."""

from collections.abc import Callable
from itertools import product

import pytest

from clp_suite import EmbeddedSuite
from tests.services.portal.browser import Browser, field_of
from tests.services.portal.conftest import BROADCAST, NORTH

Open = Callable[..., Browser]
ME = "projects.me"
MAX_BYTES = 40_000


@pytest.fixture
def cost(browser: Open, calls: list[str]) -> Callable[[str], list[str]]:
    """The calls of opening an address, within two seconds after another page."""

    def of(path: str, person: str = "nat") -> list[str]:
        somebody = browser(person)
        somebody.get("/-/api")
        calls.clear()
        assert somebody.get(path).status == 200
        return [call for call in calls if call != ME]

    return of


@pytest.mark.parametrize(
    ("path", "budget"),
    [
        ("/", ["projects.my_projects", "messages.unread"]),
        (f"/{NORTH}", ["messages.conversation"]),
        (f"/{BROADCAST}", ["messages.conversation"]),
        (f"/{NORTH}/1", ["messages.conversation"]),
        (f"/{NORTH}?before=9&fragment=1", ["messages.conversation"]),
        ("/-/projects?q=night", ["projects.find_projects"]),
        (f"/{NORTH}?q=zebra", ["messages.conversation", "search.find"]),
        (f"/-/api/channels/{NORTH}/messages", ["messages.page"]),
        (f"/-/api/channels/{NORTH}/mentionable?typed=n", ["messages.mentionable"]),
        ("/-/help", ["notifications.my_tickets"]),
        (
            "/-/mail-settings",
            ["notifications.mail_settings", "projects.my_projects"],
        ),
    ],
)
def test_a_page_costs_no_more_calls_than_it_may(
    cost: Callable[[str], list[str]],
    suite: EmbeddedSuite,
    path: str,
    budget: list[str],
) -> None:
    suite.client("ivy").messages.post(channel=NORTH, key="for-a-page", text="Hello")
    assert cost(path) == budget


@pytest.mark.parametrize(
    ("path", "budget"),
    [
        ("/", ["projects.my_projects", "messages.unread"]),
        ("/-/mail-settings", ["projects.my_projects", "notifications.mail_settings"]),
        (f"/{NORTH}?before=9&fragment=1", [ME, "messages.conversation"]),
    ],
)
def test_a_page_costs_two_calls_when_nothing_is_remembered(
    browser: Open, calls: list[str], path: str, budget: list[str]
) -> None:
    somebody = browser("nia")
    calls.clear()
    assert somebody.get(path).status == 200
    assert calls == budget


def test_a_conversation_costs_two_calls_when_nothing_is_remembered(
    browser: Open, calls: list[str]
) -> None:
    somebody = browser("nia")
    calls.clear()
    somebody.get(f"/{NORTH}")
    assert calls == [ME, "messages.conversation"]


def test_sending_costs_one_call(browser: Open, calls: list[str]) -> None:
    somebody = browser("nat")
    key = field_of(somebody.get(f"/{NORTH}"), "key")
    calls.clear()
    sent = somebody.submit_by_script(f"/{NORTH}", text="Hello again", key=key)
    assert sent.status == 201
    assert [call for call in calls if call != ME] == ["messages.post"]
    assert "Hello again" in sent.json["html"]
    assert "<html" not in sent.json["html"]


def test_a_page_of_fifty_messages_is_small(browser: Open, suite: EmbeddedSuite) -> None:
    """None of them stands under the name of the one before: each says everything."""
    texts = [f"Line {number} of what two people write." for number in range(60)]
    for number, text in enumerate(texts):
        author = "sam" if number % 2 else "ivy"
        suite.client(author).messages.post(
            channel="p1/direct/south", key=f"small-{number}", text=text
        )
    for person, language in product(("sam", "ivy"), ("en", "fr", "ja", "ar")):
        page = browser(person, language=language).get("/p1/direct/south?latest=1")
        assert page.text.count('<li class="message') == 50
        size = len(page.body) - sum(len(text) for text in texts[-50:])
        assert size < MAX_BYTES, (person, language)
