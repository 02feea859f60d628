"""A project of the sample world with short calls for its people."""

import email
import email.policy
import itertools
from collections.abc import Iterator
from email.message import EmailMessage

from clp_contracts.client import Clients
from clp_contracts.messages import Message, Posted
from clp_contracts.notifications import PersonExplained
from clp_suite.suite import Suite


class Scenario:
    """One project of a running suite, with north and south assigned."""

    def __init__(self, suite: Suite, project: str) -> None:
        self.suite = suite
        self.project = project
        self.directory = suite.client(service="directory")
        self.operations = suite.client(service="operations")
        self._keys: Iterator[int] = itertools.count(1)
        suite.settle()  # the mails of an earlier scenario are not of this one
        self._mails_before = len(suite.mails())
        self.directory.projects.put_project(id=project, title=f"Night Train {project}")
        self.assign("north", "south")

    @property
    def broadcast(self) -> str:
        """The broadcast channel."""
        return f"{self.project}/broadcast"

    def direct(self, partner: str) -> str:
        """The direct channel of a partner."""
        return f"{self.project}/direct/{partner}"

    def as_(self, person: str) -> Clients:
        """Typed clients of a person."""
        return self.suite.client(person)

    def assign(self, *partners: str) -> None:
        """Put partners on the project."""
        for partner in partners:
            self.directory.projects.assign_partner(
                project=self.project, partner=partner, languages=["fr"]
            )

    def withdraw(self, partner: str) -> None:
        """Take a partner off the project."""
        self.directory.projects.withdraw_partner(project=self.project, partner=partner)

    def follow(self, *people: str) -> None:
        """Have people follow the project."""
        for person in people:
            self.as_(person).projects.follow(project=self.project)

    def post(self, person: str, channel: str, text: str, **more: list[str]) -> Posted:
        """Post with a fresh idempotency key."""
        key = f"{self.project}-{next(self._keys)}"
        return self.as_(person).messages.post(
            channel=channel, text=text, key=key, **more
        )

    def announce(self, status: str) -> Message:
        """Have the robot post an announcement; return its broadcast."""
        self.directory.projects.announce(
            project=self.project,
            kind="qc_status_changed",
            key=f"{self.project}-{next(self._keys)}",
            facts={"status": status},
        )
        self.suite.settle()
        page = self.as_("ivy").messages.page(channel=self.broadcast, limit=1)
        return page.messages[0]

    def mails(self) -> list[EmailMessage]:
        """The mails of this scenario, once everything is idle."""
        self.suite.settle()
        return [
            email.message_from_bytes(raw, policy=email.policy.default)
            for raw in self.suite.mails()[self._mails_before :]
        ]

    def explained(self, message: str) -> tuple[PersonExplained, ...]:
        """The explanation of a message for everybody, as operators see it."""
        return self.operations.notifications.explain(message=message).people

    def mailed(self) -> list[tuple[str, str]]:
        """Who was mailed and why: (person, trigger), in the order of ids."""
        return sorted(
            (str(mail["To"].addresses[0].username), str(mail["X-Notification-Reason"]))
            for mail in self.mails()
        )
