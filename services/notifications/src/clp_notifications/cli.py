"""The command line of operators and support: ``clp-notifications``."""

from clp_chassis.concurrency import monkey_patch  # isort: skip  # noqa: F401 - first: it patches the process

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

from clp_chassis.bootstrap import ProcessContext
from clp_chassis.security.passports import UnusableKey
from clp_chassis.settings import InvalidSettings, ProcessSettings, read_settings
from clp_contracts.client import Clients
from clp_contracts.errors import CallFailed, Refused
from clp_contracts.notifications import MessageExplanation, PersonExplained
from clp_contracts.transition_reasons import SENTENCES
from clp_notifications.explanations import RULES

SERVICE: Final = "notifications"
MOMENT: Final = "%Y-%m-%d %H:%M:%S UTC"
REFUSED, UNREACHABLE, MISUSED = 1, 2, 3
ABOUT: Final = """\
Explain why people were or were not told of a message, and the state of each mail.

Needs the settings of the service: CLP_BROKER_URL and CLP_KEYS_DIR (the folder with
notifications.pem), and a running notifications process.
"""


def main() -> None:
    """Run the command with the program's arguments."""
    raise SystemExit(run(sys.argv[1:], connected, Console()))


def run(
    arguments: Sequence[str], connect: Callable[[], Clients], console: Console
) -> int:
    """Run the command of the arguments; return the exit code."""
    parsed = _parser().parse_args(arguments)
    try:
        with closing(connect()) as clients:
            output = parsed.run(clients, parsed)
    except Refused as error:
        console.print(f"refused: {error.sentence} ({error.code})", markup=False)
        return REFUSED
    except CallFailed as error:
        console.print(f"no response: {error}", markup=False)
        console.print("Is the broker up, and a notifications process running?")
        return UNREACHABLE
    except (InvalidSettings, UnusableKey, OSError) as error:
        console.print(f"invalid settings: {error}", markup=False)
        return MISUSED
    console.print(output)
    return 0


def connected() -> Clients:
    """Clients with a passport of the service itself, from the environment."""
    settings = read_settings(ProcessSettings, SERVICE)
    keys = Path(settings.keys_dir)
    return ProcessContext.from_files(SERVICE, settings.broker_url, keys).clients()


def _explain(clients: Clients, arguments: argparse.Namespace) -> Group:
    return explanation_table(
        clients.notifications.explain(
            message=arguments.message, person=arguments.person
        )
    )


def _suppressions(clients: Clients, arguments: argparse.Namespace) -> Table | Text:
    """All suppressed addresses (rule 41), in their order."""
    del arguments
    table = Table("address", "since", "reason", "mail")
    after: str | None = None
    while page := clients.notifications.suppressions(after=after).suppressions:
        for one in page:
            at = one.at.astimezone(UTC).strftime(MOMENT)
            sentence = SENTENCES.get(one.reason, one.reason)
            table.add_row(*map(Text, (one.address, at, sentence, one.mail)))
        after = page[-1].address
    return table if table.row_count else Text("No address is suppressed.")


def _unsuppress(clients: Clients, arguments: argparse.Namespace) -> Text:
    deleted = clients.notifications.delete_suppression(address=arguments.address)
    return Text(
        f"{deleted.address} is no longer suppressed; clp-ops redrive sends its dead "
        "notifications."
    )


def explanation_table(explanation: MessageExplanation) -> Group:
    """The explanation as tables."""
    summary = Table(
        "person", "told", "why", "mail", title=f"Message {explanation.message}"
    )
    for one in explanation.people:
        told = "yes" if one.told else "no"
        summary.add_row(*map(Text, (one.person, told, one.sentence, one.state or "-")))
    summary.caption = "All rules are in docs/rules.md."
    if not explanation.people:
        summary.caption = "Nobody follows the project, and nobody is mentioned."
    return Group(summary, *map(_details_of, explanation.people))


def _details_of(one: PersonExplained) -> Group:
    lines = [Text(f"\n{one.person}", style="bold")]
    if one.rule in RULES:
        lines.append(Text(f"  the rule: {RULES[one.rule]}"))
    lines.extend(Text(f"  {fact}") for fact in one.facts)
    if not one.transitions:
        return Group(*lines)
    steps = Table("when", "state", "what happened")
    for step in one.transitions:
        at = step.at.astimezone(UTC).strftime(MOMENT)
        steps.add_row(*map(Text, (at, step.state, step.sentence or step.reason)))
    return Group(*lines, Padding(steps, (0, 0, 0, 2)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="clp-notifications",
        description="Explain notifications and manage suppressed addresses.",
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
    explain.set_defaults(run=_explain)
    suppressions = commands.add_parser(
        "suppressions", help="list suppressed addresses with their reasons"
    )
    suppressions.set_defaults(run=_suppressions)
    unsuppress = commands.add_parser(
        "unsuppress", help="delete the suppression of an address and its bounce score"
    )
    unsuppress.add_argument("address", metavar="ADDRESS")
    unsuppress.set_defaults(run=_unsuppress)
    return parser
