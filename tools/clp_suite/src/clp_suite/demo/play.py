"""The story: what people do, in the order of the help page."""

from dataclasses import dataclass, field
from typing import Final

from rich.console import Console

from clp_contracts.errors import Refused
from clp_contracts.messages import Posted
from clp_suite.sample_data import put_cast
from clp_suite.suite import Suite

PROJECT: Final = "p1"
TITLE: Final = "Night Train"
BROADCAST: Final = "p1/broadcast"
NORTH: Final = "p1/direct/north"
SOUTH: Final = "p1/direct/south"
FOLLOWERS: Final = ("ivy", "ian", "nat", "nia", "sam")
ASSIGNED: Final = {"north": ("fr",), "south": ("es", "pt-BR")}
CUE_SHEET: Final = b"scene,cue\n1,train whistle\n2,zebra crossing\n"


@dataclass(slots=True)
class Played:
    """The messages posted, in order, each with author and text."""

    posted: list[tuple[str, str, Posted]] = field(default_factory=list)


def set_up(suite: Suite) -> None:
    """Store people, partners and the project; assign the partners; follow."""
    directory = suite.client(service="directory")
    put_cast(directory)
    directory.projects.put_project(id=PROJECT, title=TITLE)
    for partner, languages in ASSIGNED.items():
        directory.projects.assign_partner(
            project=PROJECT, partner=partner, languages=languages
        )
    for person in FOLLOWERS:
        suite.client(person).projects.follow(project=PROJECT)


def play(suite: Suite, console: Console) -> Played:
    """Post, mention, attach and announce; print each step as it happens."""
    played = Played()
    _post(suite, console, played)
    _show_refusals(suite, console)
    _attach(suite, console, played)
    _announce(suite, console)
    suite.settle()
    return played


def _post(suite: Suite, console: Console, played: Played) -> None:
    messages = (
        ("ivy", BROADCAST, "Welcome aboard. The zebra scene was recut."),
        ("nat", NORTH, "Is the zebra line still in French?"),
        ("ivy", NORTH, "Yes, it is."),
        ("ivy", NORTH, "@Nia Roux please check scene 2."),
        ("nat", NORTH, "@ian@studio.example when is the final mix due?"),
        ("nat", NORTH, "@Sam Duarte are you there?"),
        ("sam", SOUTH, "字幕は明日できます。"),
    )
    for number, (author, channel, text) in enumerate(messages):
        client = suite.client(author)
        posted = client.messages.post(channel=channel, text=text, key=f"demo-{number}")
        outcomes = "".join(
            f"  [dim]{mention.handle}: {mention.outcome}[/dim]"
            for mention in posted.mentions
        )
        console.print(f"[bold]{author}[/bold] in {channel}: {text}{outcomes}")
        played.posted.append((author, text, posted))


def _show_refusals(suite: Suite, console: Console) -> None:
    for person, channel in (("nat", BROADCAST), ("nat", SOUTH), ("lin", BROADCAST)):
        try:
            suite.client(person).messages.post(
                channel=channel, text="Hello everybody", key="demo-refused"
            )
        except Refused as refused:
            console.print(
                f"[bold]{person}[/bold] in {channel}: [red]refused, {refused}[/red]"
            )
        else:
            raise RuntimeError(f"{person} could post to {channel}")


def _attach(suite: Suite, console: Console, played: Played) -> None:
    attachment = suite.files("ivy").upload(
        channel=NORTH, name="cue sheet.csv", body=CUE_SHEET
    )
    text = "The cue sheet."
    posted = suite.client("ivy").messages.post(
        channel=NORTH, text=text, key="demo-file", attachments=[attachment]
    )
    console.print(f"[bold]ivy[/bold] in {NORTH}: {text} [dim]+ cue sheet.csv[/dim]")
    played.posted.append(("ivy", text, posted))
    for person in ("nat", "sam"):
        response = suite.files(person).download(attachment)
        result = (
            f"{len(response.body)} bytes"
            if response.body == CUE_SHEET
            else f"HTTP {response.status}"
        )
        console.print(f"[bold]{person}[/bold] downloads the cue sheet: {result}")


def _announce(suite: Suite, console: Console) -> None:
    for _ in range(2):
        suite.client(service="directory").projects.announce(
            project=PROJECT,
            kind="audio_available",
            key="audio-1",
        )
    console.print(
        "[bold]schedule[/bold] announces twice that audio is available;"
        " the robot posts once.\n"
    )
