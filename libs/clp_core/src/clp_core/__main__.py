"""``python -m clp_core explain FILE``: print the recipients of a message, and why."""

import argparse
import json
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from clp_core.people import Person, Robot
from clp_core.routing import Explanation
from clp_core.scenarios import Scenario

EXAMPLE: Final = """\
FILE is JSON; what is left out is empty, and "policies" has the published defaults:

  {"project": {"id": "p1", "assigned": ["north"], "withdrawn": []},
   "people": [{"id": "ivy", "name": "Ivy Lane", "roles": ["dub_portal_user"]},
              {"id": "nat", "name": "Nat Moreau", "partner": "north",
               "roles": ["dub_portal_user"], "active": true}],
   "channel": "p1/direct/north", "author": "ivy", "occasion": "posted",
   "followers": ["nat"], "mentioned": [],
   "policies": {"routing": {"mention_routing": "adds"}}}

The author may be "robot". Exit status: 0, or 2 when FILE cannot be understood.
"""
BAD_INPUT: Final = 2
GAP: Final = "  "


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    options = _parser().parse_args(arguments)
    try:
        scenario = Scenario.from_mapping(_read(options.file))
    except (OSError, ValueError, RecursionError) as problem:
        print(_printable(f"{options.file}: {_sentence_of(problem)}"), file=sys.stderr)
        return BAD_INPUT
    print("\n".join(report(scenario)))
    return 0


def report(scenario: Scenario) -> Iterable[str]:
    """Render a title, a table with a row for each person, and a total."""
    facts = scenario.facts
    explanations = scenario.explanations()
    author = "the robot" if isinstance(facts.author, Robot) else facts.author.name
    told = sum(explanation.told for explanation in explanations)
    rows = [("PERSON", "SIDE", "RULE", "TRIGGER", "WHY"), *map(_row, explanations)]
    yield _printable(f"{facts.channel.name}, {facts.occasion} by {author}")
    yield ""
    yield from _table(rows)
    yield ""
    yield f"{told} of {len(explanations)} told"


def _row(explanation: Explanation) -> tuple[str, ...]:
    return (
        _printable(_person(explanation.person)),
        explanation.person.partner or explanation.person.side,
        explanation.rule,
        explanation.trigger or "-",
        explanation.sentence,
    )


def _person(person: Person) -> str:
    return person.id if person.name == person.id else f"{person.name} ({person.id})"


def _table(rows: Sequence[Sequence[str]]) -> Iterable[str]:
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (
            cell + " " * (width - _width(cell))
            for cell, width in zip(row, widths, strict=True)
        )
        yield GAP.join(cells).rstrip()


def _width(text: str) -> int:
    """Columns of a text in a terminal; Han letters take two, accents none."""
    return sum(
        0 if unicodedata.combining(letter) else 1 + _is_wide(letter) for letter in text
    )


def _is_wide(letter: str) -> bool:
    return unicodedata.east_asian_width(letter) in ("F", "W")


def _printable(text: str) -> str:
    """Escape control characters: names are untrusted."""
    return "".join(
        letter if letter.isprintable() else f"\\u{ord(letter):04x}" for letter in text
    )


def _read(file: str) -> object:
    content = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    return json.loads(content.decode("utf-8-sig"))


def _sentence_of(problem: Exception) -> str:
    match problem:
        case OSError():
            return f"cannot be read: {problem.strerror}"
        case json.JSONDecodeError():
            return f"is not JSON: {problem.msg} in line {problem.lineno}"
        case UnicodeDecodeError():
            return "is not UTF-8"
        case RecursionError():
            return "is nested too deeply"
        case _:
            return str(problem)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m clp_core", description="The rules of CLP Communications."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    command = commands.add_parser(
        "explain",
        help="list who is told of a message and who is not, with reasons",
        description="List who is told of a message and who is not, with reasons.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _ = command.add_argument(
        "file", metavar="FILE", help="facts as JSON; - reads the input"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
