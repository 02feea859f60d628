"""The story itself: what people do, in the order of the help page."""

from dataclasses import dataclass, field
from typing import Final

from rich.console import Console

from clp_contracts.errors import Refused
from clp_contracts.messages import Posted
from clp_suite.sample_data import put_cast
from clp_suite.suite import Suite

PROJECT: Final = "p1"
BROADCAST: Final = "p1/broadcast"
NORTH: Final = "p1/direct/north"
SOUTH: Final = "p1/direct/south"
FOLLOWERS: Final = ("ivy", "ian", "nat", "nia", "sam")
CUE_SHEET: Final = b"scene,cue\n1,train whistle\n2,zebra crossing\n"


@dataclass(slots=True)
class Played:
    """What was posted, in order, and what was refused."""

    posted: list[tuple[str, str, Posted]] = field(default_factory=list)
    attachment: str = ""


def play(suite: Suite, console: Console) -> Played:
    """Play the story through RPC, events and HTTP."""
    played = Played()
    _set_the_stage(suite, console)
    _talk(suite, console, played)
    _refuse(suite, console)
    _attach(suite, console, played)
    _announce(suite, console)
    suite.settle()
    return played


def _set_the_stage(suite: Suite, console: Console) -> None:
    directory = suite.caller(service="directory")
    put_cast(directory)
    directory.projects.put_project(id=PROJECT, title="Night Train")
    for partner, languages in (("north", ["fr"]), ("south", ["es", "pt-BR"])):
        directory.projects.assign_partner(
            project=PROJECT, partner=partner, languages=languages
        )
    for person in FOLLOWERS:
        suite.caller(person).projects.follow(project=PROJECT)
    console.rule("Night Train: the studio, North Dubbing and South Subtitles")
    console.print(f"Followers: {', '.join(FOLLOWERS)}. West Voices is not on it.\n")


def _talk(suite: Suite, console: Console, played: Played) -> None:
    lines = (
        ("ivy", BROADCAST, "Welcome aboard. The zebra scene was recut."),
        ("nat", NORTH, "Is the zebra line still in French?"),
        ("ivy", NORTH, "Yes, it is."),
        ("ivy", NORTH, "@Nia Roux please check scene 2."),
        ("nat", NORTH, "@ian@studio.example when is the final mix due?"),
        ("nat", NORTH, "@Sam Duarte are you there?"),
        ("sam", SOUTH, "字幕は明日できます。"),
    )
    for number, (author, channel, text) in enumerate(lines):
        caller = suite.caller(author)
        posted = caller.messages.post(channel=channel, text=text, key=f"demo-{number}")
        outcomes = "".join(
            f"  [dim]{m.handle} is {m.outcome}[/dim]" for m in posted.mentions
        )
        console.print(f"[bold]{author}[/bold] in {channel}: {text}{outcomes}")
        played.posted.append((author, text, posted))


def _refuse(suite: Suite, console: Console) -> None:
    for person, channel in (("nat", BROADCAST), ("nat", SOUTH), ("lin", BROADCAST)):
        try:
            suite.caller(person).messages.post(
                channel=channel, text="Hello everybody", key="demo-refused"
            )
        except Refused as refused:
            console.print(f"[bold]{person}[/bold] in {channel}: [red]{refused}[/red]")
        else:
            raise RuntimeError(f"{person} could post to {channel}")


def _attach(suite: Suite, console: Console, played: Played) -> None:
    files = suite.files("ivy")
    played.attachment = files.upload(
        channel=NORTH, name="cue sheet.csv", body=CUE_SHEET
    )
    text = "The cue sheet."
    posted = suite.caller("ivy").messages.post(
        channel=NORTH, text=text, key="demo-file", attachments=[played.attachment]
    )
    played.posted.append(("ivy", text, posted))
    for person in ("nat", "sam"):
        answer = suite.files(person).download(played.attachment)
        got = "gets it whole" if answer.body == CUE_SHEET else f"gets {answer.status}"
        console.print(f"[bold]{person}[/bold] downloads ivy's cue sheet: {got}")


def _announce(suite: Suite, console: Console) -> None:
    for _ in range(2):
        suite.caller(service="schedule").projects.announce(
            project=PROJECT,
            kind="audio_available",
            key="audio-1",
            facts={"language": "fr"},
        )
    console.print(
        "The schedule says twice that audio is there; the robot posts once.\n"
    )
