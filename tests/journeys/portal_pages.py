"""What somebody sees of one project in the portal: pages, JSON and headers."""

import re
from collections.abc import Callable

from clp_suite.embedded import EmbeddedSuite
from clp_suite.sample_data import put_cast
from clp_suite.suite import Suite
from tests.services.portal.browser import Browser, Response

# Hidden and missing ones are among them; each begins with the project.
PAGES = (
    "",
    "/broadcast",
    "/broadcast?latest=1",
    "/broadcast/1",
    "/broadcast?q=zebra",
    "/direct/north",
    "/direct/north/2",
    "/direct/north?before=3&fragment=1",
    "/direct/north?q=quokka&in=project",
    "/direct/north?q=wombat",
    "/direct/south",
    "/direct/south/1",
    "/direct/south?q=wombat",
    "/direct/nobody",
)
OTHERS = (
    "/",
    "/-/projects?q=night",
    "/-/projects?q=south",
    "/-/mail-settings",
    "/-/api/me",
    "/-/api/projects/followed",
)
OF_PROJECT = (
    "/-/api/projects/{project}",
    "/-/api/projects/{project}/channels",
    "/-/api/unread?projects={project}",
    "/-/api/conversation?project={project}",
    "/-/api/channels/{project}/broadcast/messages",
    "/-/api/channels/{project}/direct/south/messages",
    "/-/api/channels/{project}/broadcast/mentionable?typed=s",
    "/-/api/channels/{project}/direct/north/audience?text=@Sam+Duarte",
    "/-/api/search?query=wombat&project={project}",
)
# Another day's heading, a clock, an encrypted cookie or cursor: random or passing.
PASSING = re.compile(
    r"\b\d\d:\d\d\b|gAAAA[\w=-]+|\b\w+day, \d{1,2} \w+ \d{4}|http://127\.0\.0\.1:\d+"
)
UNSTABLE_HEADERS = frozenset({"Date", "Content-Length"})


def put_night_train(suite: Suite, project: str = "p1") -> None:
    """Store the people, and a project of North."""
    directory = suite.client(service="directory")
    put_cast(directory)
    directory.projects.put_project(id=project, title="Night Train")
    directory.projects.assign_partner(
        project=project, partner="north", languages=["fr"]
    )


def addresses(project: str) -> tuple[str, ...]:
    """Every address at which somebody may look for a project."""
    return (
        *OTHERS,
        *(f"/{project}{page}" for page in PAGES),
        *(address.format(project=project) for address in OF_PROJECT),
    )


class PortalReader:
    """Browsers of the people of one suite."""

    def __init__(self, suite: EmbeddedSuite, neutral: Callable[[str], str]) -> None:
        self._suite = suite
        self._neutral = neutral
        self._browsers: dict[str, Browser] = {}

    def page(self, person: str, address: str) -> str:
        """A response without what is random, as comparable text."""
        return self._seen(self._browser(person).send("GET", address))

    def visit(self, person: str, address: str) -> None:
        """Open a page that is not compared: its ids must not be numbered."""
        self._browser(person).send("GET", address)

    def submit(self, person: str, address: str, **fields: str) -> str:
        """The page after a form was sent."""
        browser = self._browser(person)
        seen = self._seen(browser.submit(address, fields.items()))
        # What is shown once is part of the next page.
        return seen + self._seen(browser.send("GET", address))

    def _browser(self, person: str) -> Browser:
        browser = self._browsers.get(person)
        if browser is None:
            browser = Browser(self._suite.portal_url)
            response = browser.submit("/-/sign-in", [("person", person)])
            assert response.status == 303, response.text
            self._browsers[person] = browser
        return browser

    def _seen(self, response: Response) -> str:
        headers = sorted(
            (name, value)
            for name, value in response.headers.items()
            if name not in UNSTABLE_HEADERS
        )
        text = f"{response.status}\n{headers}\n{response.text}"
        return PASSING.sub("PASSING", self._neutral(text))
