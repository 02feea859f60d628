"""The command line of `clp-ops`."""

from argparse import (
    ArgumentParser,
    ArgumentTypeError,
    Namespace,
    RawDescriptionHelpFormatter,
)
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import shtab

from clp_core.channels import is_id

DESCRIPTION: Final = """\
Look after a running system: its health, what failed, and its people and projects.

The command calls the services as operations; the commands about records call as the
directory, and `passport` vouches for a person. Each needs its key, in the folder that
--keys names: operations.pem, directory.pem or people.pem. CLP_OPERATIONS_BROKER_URL and
CLP_DIRECTORY_BROKER_URL (or CLP_BROKER_URL) are the addresses of the broker.
"""
PROGRAM: Final = "clp-ops"
SERVICES: Final = ("projects", "messages", "search", "notifications")


def parse_arguments(arguments: list[str] | None = None) -> Namespace:
    """Parse the command line; ``command`` names the command to run."""
    return parser().parse_args(arguments)


def parser() -> ArgumentParser:
    """Return the parser of the command line."""
    made = ArgumentParser(
        PROGRAM,
        description=DESCRIPTION,
        formatter_class=RawDescriptionHelpFormatter,
        epilog=_examples(
            "clp-ops status",
            "clp-ops --keys /etc/clp/keys/directory project p1 --title 'Night Train'",
            'eval "$(clp-ops completion bash)"',
        ),
    )
    made.add_argument(
        "--timeout",
        type=_positive(float),
        default=10.0,
        help="seconds that a call may take (10)",
    )
    made.add_argument("--keys", type=Path, help="the folder of keys (CLP_KEYS_DIR)")
    commands = made.add_subparsers(dest="command", required=True, title="commands")
    _add_health(commands)
    _add_notifications(commands)
    _add_dead_letters(commands)
    _add_portal(commands)
    _add_people(commands)
    _add_projects(commands)
    _add_import(commands)
    return made


def _positive(kind: type[int] | type[float]) -> Callable[[str], float]:
    def read(text: str) -> float:
        try:
            number = kind(text)
        except ValueError:
            number = kind(0)
        if not 0 < number < float("inf"):
            raise ArgumentTypeError(f"{text!r} is not a number above 0")
        return number

    return read


COUNT: Final = _positive(int)


def _id(text: str) -> str:
    if not is_id(text):
        raise ArgumentTypeError(
            f"{text!r} is not an id: up to 64 letters, digits, '.', '_' and '-'"
        )
    return text


def _examples(*lines: str) -> str:
    return "\n".join(("examples:", *(f"  {line}" for line in lines)))


def _add(commands: Any, name: str, help: str, *examples: str) -> ArgumentParser:
    """Add a command; every one can print JSON."""
    command: ArgumentParser = commands.add_parser(
        name,
        help=help,
        description=help[0].upper() + help[1:] + ".",
        formatter_class=RawDescriptionHelpFormatter,
        epilog=_examples(*(f"clp-ops {line}" for line in examples)),
    )
    command.add_argument("--json", action="store_true", help="print JSON")
    return command


def _add_health(commands: Any) -> None:
    _add(
        commands,
        "status",
        "health of the whole system; exit code 1 when unhealthy",
        "status",
        "status --json | jq .problems",
    )
    rebuild = _add(
        commands,
        "rebuild-index",
        "rebuild the search index of this host while the old one serves",
        "rebuild-index --folder /var/lib/clp/index",
    )
    rebuild.add_argument(
        "--folder", type=Path, help="folder of the index (CLP_SEARCH_DATA_DIR)"
    )
    rebuild.add_argument("--no-wait", action="store_true", help="show no progress")
    completion = _add(
        commands,
        "completion",
        "print the completion of this command for a shell",
        "completion bash > /etc/bash_completion.d/clp-ops",
        'completion zsh > "${fpath[1]}/_clp-ops"',
    )
    completion.add_argument("shell", choices=shtab.SUPPORTED_SHELLS)


def _add_notifications(commands: Any) -> None:
    dead = _add(
        commands,
        "dead",
        "dead notifications, each with its reason",
        "dead --limit 500",
    )
    dead.add_argument("--limit", type=COUNT, default=100, help="how many (100)")
    redrive = _add(
        commands,
        "redrive",
        "send dead notifications again, all or those named",
        "redrive",
        "redrive 8f14e45fceea167a5a36dedd4bea2543",
    )
    redrive.add_argument("notification", nargs="*", help="ids as printed by `dead`")
    unsuppress = _add(
        commands,
        "unsuppress",
        "deliver mails to a suppressed address again",
        "unsuppress",
        "unsuppress nat@north.example",
    )
    unsuppress.add_argument(
        "address", nargs="?", help="without one: list the suppressed addresses"
    )


def _add_dead_letters(commands: Any) -> None:
    dead_letters = _add(
        commands,
        "dead-letters",
        "changes that a feed reader could not apply, each with its error",
        "dead-letters",
        "dead-letters --redrive",
    )
    dead_letters.add_argument(
        "--redrive", action="store_true", help="apply all of them once more"
    )
    queues = _add(
        commands,
        "queues",
        "events in the broker's dead-letter queues, each with its error; the owner of a"
        " queue alone may read it (CLP_<SERVICE>_BROKER_URL)",
        "queues",
        "queues --redrive",
    )
    queues.add_argument(
        "--redrive", action="store_true", help="return all events to their handlers"
    )
    incoming = _add(
        commands,
        "incoming",
        "incoming mails that could not be handled, each with its reason, or the header"
        " lines of those named",
        "incoming",
        "incoming --redrive",
    )
    incoming.add_argument("mail", nargs="*", help="ids as printed by the list")
    effect = incoming.add_mutually_exclusive_group()
    effect.add_argument(
        "--redrive", action="store_true", help="handle all or those named once more"
    )
    effect.add_argument("--discard", action="store_true", help="delete those named")


def _add_portal(commands: Any) -> None:
    end = _add(
        commands,
        "end-sessions",
        "sign a person out of the portal everywhere, at once",
        "end-sessions nat",
    )
    end.add_argument("person", help="the id of the person")
    tickets = _add(
        commands,
        "tickets",
        "support tickets, newest first",
        "tickets --limit 20",
    )
    tickets.add_argument("--limit", type=COUNT, default=100, help="how many (100)")
    tickets.add_argument("--after", help="those after this ticket")
    close = _add(
        commands,
        "close-ticket",
        "close a support ticket",
        "close-ticket 8f14e45fceea167a",
    )
    close.add_argument("ticket", help="the number as printed by `tickets`")


def _add_people(commands: Any) -> None:
    person = _add(
        commands,
        "person",
        "store the whole record of a person",
        "person nat --name 'Nat Moreau' --email nat@north.example --partner north"
        " --role dub_portal_user",
        "person ivy --name 'Ivy Lane' --email ivy@studio.example --internal"
        " --role dub_portal_user",
    )
    person.add_argument("id")
    person.add_argument("--name", required=True)
    person.add_argument("--email", required=True, help="the mail address")
    side = person.add_mutually_exclusive_group(required=True)
    side.add_argument("--partner", help="the partner that employs the person")
    side.add_argument("--internal", action="store_true", help="of the studio")
    person.add_argument("--moved-from", help="the partner that the person left")
    person.add_argument("--role", action="append", help="a role; may be repeated")
    person.add_argument("--inactive", action="store_true", help="a leaver")
    person.add_argument("--language", help="of mails (BCP 47, such as fr)")
    person.add_argument("--time-zone", help="of mails (IANA, such as Europe/Paris)")
    passport = _add(
        commands,
        "passport",
        "print a passport of a person for calls to one service, valid for two minutes",
        "--keys /etc/clp/keys/gateway passport nat --service messages",
    )
    passport.add_argument("person", type=_id, help="the id of the person")
    passport.add_argument("--service", required=True, choices=SERVICES)


def _add_projects(commands: Any) -> None:
    partner = _add(
        commands, "partner", "store a partner", "partner north --name 'North Dubbing'"
    )
    partner.add_argument("id")
    partner.add_argument("--name", required=True)
    project = _add(
        commands, "project", "store a project", "project p1 --title 'Night Train'"
    )
    project.add_argument("id")
    project.add_argument("--title", required=True)
    assign = _add(
        commands,
        "assign",
        "assign a partner to a project for some languages",
        "assign p1 north fr fr-CA",
    )
    assign.add_argument("project")
    assign.add_argument("partner")
    assign.add_argument("languages", nargs="*", help="BCP 47, such as fr")
    withdraw = _add(
        commands,
        "withdraw",
        "withdraw a partner from a project, and wait until its access has ended",
        "withdraw p1 north",
    )
    withdraw.add_argument("project")
    withdraw.add_argument("partner")


def _add_import(commands: Any) -> None:
    imported = _add(
        commands,
        "import",
        "store the people, partners, projects and assignments of a CSV or JSON file;"
        " only what differs is sent, so an interrupted run is started again",
        "import people.csv --dry-run",
        "import people.csv",
    )
    imported.add_argument("file", type=Path, help="a name in .json is read as JSON")
    imported.add_argument(
        "--dry-run", action="store_true", help="show the differences, store nothing"
    )
