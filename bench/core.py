"""Time the rules: ``python -m bench.core``.

Targets: a decision about a channel in under a microsecond, 10,000 followers routed in
under 15 milliseconds. The figures for mentions follow.
"""

import random
import sys
from collections.abc import Iterator

from bench import core_mentions
from bench.core_mentions import Work, medians
from clp_core import (
    Channel,
    DetectedKind,
    Person,
    Project,
    ProjectId,
    RoutingFacts,
    channels_of,
    channels_readable_by,
    explain,
    judge_attachment,
    judge_readers,
    judge_reading,
    may_read,
    recipients_of,
    safe_name,
)
from clp_core.people import PartnerId
from tests.core.sample_world import IVY, person
from tests.support.command_line import command_parser

PARTNERS = [PartnerId(f"partner{number}") for number in range(200)]
PROJECT = Project(id=ProjectId("p1"), assigned=frozenset(PARTNERS))
NAT = person("nat", "Nat Moreau", PARTNERS[5])


def main() -> None:
    """Measure everything and print it as tables."""
    command_parser().parse_args()
    for line in (*_visibility(), *_routing(), *_attachments()):
        _ = sys.stdout.write(f"{line}\n")
    _ = sys.stdout.write("\n")
    core_mentions.measure()


def _followers(count: int) -> list[Person]:
    """Shuffle, so that followers lie apart in memory as they would in a service."""
    chance = random.Random(7)
    people = [
        person(f"p{number}", f"Person {number}", chance.choice(PARTNERS))
        for number in range(count)
    ]
    chance.shuffle(people)
    return people


def _visibility() -> Iterator[str]:
    channels = channels_of(PROJECT)
    readers = _followers(1_000)
    broadcast = channels[0]
    cases: dict[str, tuple[int, Work]] = {
        "may_read, one by one": (
            len(channels),
            lambda: [may_read(NAT, channel, PROJECT) for channel in channels],
        ),
        "judge_reading, a list of channels": (
            len(channels),
            lambda: judge_reading(NAT, channels, PROJECT),
        ),
        "channels_readable_by, made and judged": (
            len(channels),
            lambda: channels_readable_by(NAT, PROJECT),
        ),
        "judge_readers, a list of people": (
            len(readers),
            lambda: judge_readers(readers, broadcast, PROJECT),
        ),
    }
    figures = medians({name: work for name, (_, work) in cases.items()})
    yield f"Who may read: a project of {len(PARTNERS)} partners"
    for name, seconds in figures.items():
        count, _ = cases[name]
        each = seconds / count
        yield f"  {name:38} {each * 1e6:6.3f} us, {1 / each / 1e6:5.1f} million a second"


def _routing() -> Iterator[str]:
    facts = RoutingFacts(
        author=IVY,
        channel=Channel(PROJECT.id),
        project=PROJECT,
        followers=frozenset(_followers(10_000)),
    )
    figures = medians(
        {
            "recipients_of": lambda: recipients_of(facts),
            "explain": lambda: explain(facts),
        }
    )
    yield "\nWho is told of a broadcast with 10,000 followers"
    for name, seconds in figures.items():
        yield f"  {name:38} {seconds * 1e3:6.2f} ms"


def _attachments() -> Iterator[str]:
    names = ("C:\\fakepath\\cue sheet.csv", "Mission: Impossible.pdf", "字幕.csv") * 100
    figures = medians(
        {
            "safe_name": lambda: [safe_name(name) for name in names],
            "judge_attachment": lambda: [
                judge_attachment(name, 2048, DetectedKind.TEXT) for name in names
            ],
        }
    )
    yield "\nAttachments, each name"
    for name, seconds in figures.items():
        yield f"  {name:38} {seconds / len(names) * 1e6:6.2f} us"


if __name__ == "__main__":
    main()
