"""What each person sees, gets and finds, as tables."""

from email import message_from_bytes, policy
from typing import Final

from rich.console import Console
from rich.table import Table

from clp_contracts.errors import Refused
from clp_suite.demo.play import BROADCAST, NORTH, PROJECT, SOUTH, Played
from clp_suite.suite import Suite

PEOPLE: Final = ("ivy", "ian", "nat", "nia", "sam", "wes", "lin")
HIDDEN: Final = "[dim]-[/dim]"


def show(suite: Suite, played: Played, console: Console) -> None:
    """Print everything there is to see."""
    console.print(_seen(suite))
    console.print(_unread(suite))
    console.print(_found(suite, "zebra"))
    console.print(_found(suite, "明日"))
    for author, text, posted in played.posted:
        console.print(_told(suite, f"{author}: {text}", posted.id))
    robot = suite.caller("ivy").messages.page(channel=BROADCAST).messages[-1]
    console.print(_told(suite, f"robot: {robot.text}", robot.id))
    console.print(_mails(suite))
    console.print(f"The mails are files in {suite.mail_folder}")


def _seen(suite: Suite) -> Table:
    table = Table("who", BROADCAST, NORTH, SOUTH, title="Who sees what (messages)")
    for person in PEOPLE:
        cells = [
            _count(suite, person, channel) for channel in (BROADCAST, NORTH, SOUTH)
        ]
        table.add_row(person, *cells)
    return table


def _count(suite: Suite, person: str, channel: str) -> str:
    try:
        page = suite.caller(person).messages.page(channel=channel)
    except Refused:
        return HIDDEN
    return str(len(page.messages))


def _unread(suite: Suite) -> Table:
    table = Table("who", "unread", "where", title="Unread")
    for person in PEOPLE:
        told = suite.caller(person).messages.unread(projects=[PROJECT])
        for project in told.projects:
            where = ", ".join(
                f"{c.channel}: {c.unread}, first is number {c.first}"
                for c in project.channels
                if c.unread
            )
            table.add_row(person, str(project.unread), where)
        if not told.projects:
            table.add_row(person, HIDDEN, "")
    return table


def _found(suite: Suite, query: str) -> Table:
    table = Table("who", "hits", "what", title=f"Search for {query}")
    for person in PEOPLE:
        try:
            found = suite.caller(person).search.find(query=query, project=PROJECT)
        except Refused:
            table.add_row(person, HIDDEN, "")
            continue
        what = "; ".join(f"{h.channel} #{h.number}" for h in found.hits)
        table.add_row(person, str(found.total), what)
    return table


def _told(suite: Suite, title: str, message: str) -> Table:
    table = Table("who", "told", "rule", "why", "mail", title=title)
    explained = suite.caller("ivy").notifications.explain(message=message)
    for person in explained.people:
        table.add_row(
            person.person,
            "[green]yes[/green]" if person.told else "no",
            person.rule,
            person.sentence,
            person.state or "",
        )
    return table


def _mails(suite: Suite) -> Table:
    table = Table("to", "subject", "because", title="Mails handed over")
    for raw in suite.mails():
        mail = message_from_bytes(raw, policy=policy.default)
        table.add_row(mail["To"], mail["Subject"], mail["X-Notification-Reason"])
    return table
