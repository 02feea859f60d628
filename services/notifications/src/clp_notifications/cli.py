"""The command line of operators and support: ``clp-notifications``."""

import argparse
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC
from pathlib import Path
from typing import Final

from rich.console import Console, Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from clp_chassis.bootstrap import Surroundings
from clp_chassis.settings import ProcessSettings, WrongSettings, read_settings
from clp_contracts.client import Callers
from clp_contracts.errors import CallFailed, Refused
from clp_contracts.notifications import Explained, PersonExplained
from clp_notifications.explanations import RULES
from clp_notifications.states import SENTENCES

SERVICE: Final = "notifications"
MOMENT: Final = "%Y-%m-%d %H:%M:%S UTC"
SAID: Final = {because.value: sentence for because, sentence in SENTENCES.items()}
REFUSED, UNREACHABLE, MISUSED = 1, 2, 3
ABOUT: Final = """\
Tells why people were or were not told of a message, and what became of each mail.

Needs the settings of the service: CLP_BROKER_URL and CLP_KEYS_DIR (the folder with
notifications.pem), and a notifications process that answers.
"""


def main() -> None:
    """Run the command with the program's arguments."""
    raise SystemExit(run(sys.argv[1:], connected, Console()))


def run(
    arguments: Sequence[str], connect: Callable[[], Callers], console: Console
) -> int:
    """Do what the arguments say; gives the exit code."""
    asked = _parser().parse_args(arguments)
    try:
        with closing(connect()) as callers:
            shown = asked.does(callers, asked)
    except Refused as error:
        console.print(f"refused: {error.sentence} ({error.code})", markup=False)
        return REFUSED
    except CallFailed as error:
        console.print(f"nobody answers: {error}", markup=False)
        console.print("Is the broker up, and a notifications process running?")
        return UNREACHABLE
    except (WrongSettings, OSError) as error:
        console.print(f"wrong settings: {error}", markup=False)
        return MISUSED
    console.print(shown)
    return 0


def connected() -> Callers:
    """Callers with a passport of the service itself, by the environment."""
    settings = read_settings(ProcessSettings, f"CLP_{SERVICE.upper()}")
    keys = Path(settings.keys_dir)
    return Surroundings.from_files(SERVICE, settings.broker_url, keys).callers()


def _explain(callers: Callers, asked: argparse.Namespace) -> Group:
    return story_of(
        callers.notifications.explain(message=asked.message, person=asked.person)
    )


def _suppressed(callers: Callers, asked: argparse.Namespace) -> Table | Text:
    """The addresses that get no mail (rule 41), all of them, in their order."""
    del asked
    table = Table("address", "since", "what it said", "mail")
    after: str | None = None
    while found := callers.notifications.suppressed(after=after).addresses:
        for one in found:
            at = one.at.astimezone(UTC).strftime(MOMENT)
            said = SAID.get(one.reason, one.reason)
            table.add_row(*map(Text, (one.address, at, said, one.mail)))
        after = found[-1].address
    return table if table.row_count else Text("Every address gets its mails.")


def _release(callers: Callers, asked: argparse.Namespace) -> Text:
    released = callers.notifications.release(address=asked.address)
    return Text(
        f"Mails may go to {released.address} again; clp-ops redrive sends those that "
        "were given up."
    )


def story_of(found: Explained) -> Group:
    """The explanation as people read it."""
    summary = Table(
        "person", "told", "rule", "why", "mail", title=f"Message {found.message}"
    )
    for one in found.people:
        told = "yes" if one.told else "no"
        summary.add_row(
            *map(Text, (one.person, told, one.rule, one.sentence, one.state or "-"))
        )
    if not found.people:
        summary.caption = "Nobody follows the project, and nobody is mentioned."
    return Group(summary, *map(_details_of, found.people))


def _details_of(one: PersonExplained) -> Group:
    lines = [Text(f"\n{one.person}", style="bold")]
    if one.rule in RULES:
        lines.append(Text(f"  rule {one.rule}: {RULES[one.rule]}"))
    lines.extend(Text(f"  {fact}") for fact in one.facts)
    if not one.steps:
        return Group(*lines)
    steps = Table("when", "state", "what happened")
    for step in one.steps:
        at = step.at.astimezone(UTC).strftime(MOMENT)
        steps.add_row(*map(Text, (at, step.state, step.sentence or step.reason)))
    return Group(*lines, Padding(steps, (0, 0, 0, 2)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="clp-notifications", description="Looks after notifications."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    explain = commands.add_parser(
        "explain",
        help="why people were or were not told of a message",
        description=ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    explain.add_argument("message", metavar="MESSAGE", help="the id of a message")
    explain.add_argument(
        "person", metavar="PERSON", nargs="?", help="the id of one person; else all"
    )
    explain.set_defaults(does=_explain)
    suppressed = commands.add_parser(
        "suppressed", help="the addresses that get no mail, and what bounces said"
    )
    suppressed.set_defaults(does=_suppressed)
    release = commands.add_parser(
        "release", help="let mails go to an address again, with a clean score"
    )
    release.add_argument("address", metavar="ADDRESS")
    release.set_defaults(does=_release)
    return parser
