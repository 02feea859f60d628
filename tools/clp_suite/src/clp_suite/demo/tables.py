"""Tables of the messages, mails and search results of each person."""

from collections.abc import Iterable
from email import message_from_bytes, policy
from typing import Final

from rich.console import Console
from rich.table import Table

from clp_contracts.errors import Refused
from clp_suite.demo.play import (
    ASSIGNED,
    BROADCAST,
    FOLLOWERS,
    NORTH,
    PROJECT,
    SOUTH,
    TITLE,
    Played,
)
from clp_suite.sample_data import CAST, PARTNERS, CastMember
from clp_suite.suite import Suite

PEOPLE: Final = ("ivy", "ian", "nat", "nia", "sam", "wes", "lin")
HIDDEN: Final = "[dim]-[/dim]"
RULES: Final = (
    "A broadcast notifies the external followers of the project.",
    "A direct message from a partner notifies the internal followers.",
    "A direct message from the studio notifies that partner's followers.",
    "A message with mentions notifies the mentioned people instead.",
    "Nobody is notified of their own messages, or of what they may not read.",
    "All rules are in docs/rules.md.",
)


def show_people(console: Console) -> None:
    """Print who is on which side, and the rules that follow."""
    console.rule(f"{TITLE}: the people")
    table = Table("person", "name", "side", "portal", "partner assigned", "follows")
    for member in CAST:
        if member.id in PEOPLE:
            table.add_row(member.id, member.name, *_side(member), _follows(member))
    console.print(table)
    console.rule("The rules")
    for sentence in RULES:
        console.print(sentence)
    console.rule("What people do")


def _side(member: CastMember) -> tuple[str, str, str]:
    portal = "closed (linguist)" if len(member.roles) > 1 else "open"
    if member.partner is None:
        return "internal, the studio", portal, ""
    languages = ", ".join(ASSIGNED.get(member.partner, ()))
    assigned = f"yes, for {languages}" if languages else "no"
    return f"external, {PARTNERS[member.partner]}", portal, assigned


def _follows(member: CastMember) -> str:
    return "yes" if member.id in FOLLOWERS else "no"


def show_results(suite: Suite, played: Played, console: Console) -> None:
    """Print what each person sees, finds and gets, and why."""
    console.print(_visible(suite))
    console.print(_unread(suite))
    console.print(_found(suite, "zebra"))
    console.print(_found(suite, "明日"))
    for author, text, posted in played.posted:
        console.print(_notified(suite, f"{author}: {text}", posted.id))
    robot = suite.client("ivy").messages.page(channel=BROADCAST).messages[-1]
    console.print(_notified(suite, f"robot: {robot.text}", robot.id))
    console.print(_mails(suite.mails()))
    console.print(f"The mails are files in {suite.mail_folder}")


def _visible(suite: Suite) -> Table:
    channels = (BROADCAST, NORTH, SOUTH)
    table = Table("person", *channels, title="Messages that each person sees")
    for person in PEOPLE:
        table.add_row(person, *(_count(suite, person, name) for name in channels))
    return table


def _count(suite: Suite, person: str, channel: str) -> str:
    try:
        page = suite.client(person).messages.page(channel=channel)
    except Refused:
        return HIDDEN
    return str(len(page.messages))


def _unread(suite: Suite) -> Table:
    table = Table("person", "unread", "channels", title="Unread messages")
    for person in PEOPLE:
        response = suite.client(person).messages.unread(projects=[PROJECT])
        for project in response.projects:
            channels = ", ".join(
                f"{one.channel}: {one.unread}, first is number {one.first}"
                for one in project.channels
                if one.unread
            )
            table.add_row(person, str(project.unread), channels)
        if not response.projects:
            table.add_row(person, HIDDEN, "")
    return table


def _found(suite: Suite, query: str) -> Table:
    table = Table("person", "hits", "messages", title=f"Search for {query}")
    for person in PEOPLE:
        try:
            page = suite.client(person).search.find(query=query, project=PROJECT)
        except Refused:
            table.add_row(person, HIDDEN, "")
            continue
        hits = "; ".join(f"{hit.channel} #{hit.number}" for hit in page.hits)
        table.add_row(person, str(page.total), hits)
    return table


def _notified(suite: Suite, title: str, message: str) -> Table:
    table = Table("person", "told", "why", "mail", title=title)
    explanation = suite.client("ivy").notifications.explain(message=message)
    for person in explanation.people:
        table.add_row(
            person.person,
            "[green]yes[/green]" if person.told else "no",
            person.sentence,
            person.state or "",
        )
    return table


def _mails(mails: Iterable[bytes]) -> Table:
    table = Table("to", "subject", "trigger", title="Mails sent")
    for raw in mails:
        mail = message_from_bytes(raw, policy=policy.default)
        table.add_row(mail["To"], mail["Subject"], mail["X-Notification-Reason"])
    return table
