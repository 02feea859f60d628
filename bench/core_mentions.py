"""Time the parser of mentions: ``python -m bench.core_mentions``.

All contenders of a table run in rotation, so that other load hits them alike; figures
are medians. Install ``twitter-text-python`` to compare with a published extractor;
without it that row is omitted.
"""

import gc
import importlib
import os
import platform
import random
import re
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path

from clp_core.mentions import (
    address_key,
    lookup_keys_in,
    name_key,
    resolve_mentions,
)
from clp_core.people import Person
from tests.core.sample_world import BROADCAST, IVY, NAT, NIA, P1, person
from tests.support.command_line import command_parser

Work = Callable[[], object]
Directory = Mapping[str, Sequence[Person]]
ROUNDS = 31
MEGABYTE = 2**20

TALK = """
    the second reel is in and could you check the subtitles before noon because the
    client called about the mix of scene four where the dialogue drifts by two frames
"""
FIRST = "Ada Bo Cleo Dan Eva Finn Gus Hal Ida Jon Kay Leo Mia Ned Ola Pia Quin Ria Siv"
LAST = "Abel Berg Cole Dahl Eide Falk Grau Holt Ivers Juhl Kerr Lund Moss Nygard Orr"

HOSTILE = {
    "@": "@" * MEGABYTE,
    "@a": "@a" * (MEGABYTE // 2),
    "@a@a.a@": "@a@a.a@" * (MEGABYTE // 7),
    "@a.a.a. ... !": "@" + "a." * (MEGABYTE // 2) + "!",
    "@a and a megabyte of spaces": "@a" + " " * MEGABYTE + "b",
    "@a with a space": "@a " * (MEGABYTE // 3),
    "@ and Han": "@" + "田" * MEGABYTE,
    "@ and Han, in turns": "@田" * (MEGABYTE // 2),
    "@a and marks": "@a" + "\u0301" * MEGABYTE,
    "backticks that pair with nothing": "`" * (MEGABYTE // 2) + "@a" * (MEGABYTE // 4),
    "quotations": "\n> @a" * (MEGABYTE // 5),
}


def main() -> None:
    """Read the arguments, of which there are none, and measure."""
    command_parser().parse_args()
    measure()


def measure() -> None:
    """Measure everything and print it as tables."""
    for part in (_heading, _chat, _directories, _hostile):
        for line in part():
            _ = sys.stdout.write(f"{line}\n")
            _ = sys.stdout.flush()


def medians(contenders: Mapping[str, Work], rounds: int = ROUNDS) -> dict[str, float]:
    """Return the seconds of each function, run in rotation without garbage collection."""
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    gc.disable()
    for _ in range(rounds):
        for name, work in contenders.items():
            before = time.perf_counter()
            _ = work()
            taken[name].append(time.perf_counter() - before)
    gc.enable()
    return {name: statistics.median(times) for name, times in taken.items()}


def _heading() -> Iterator[str]:
    yield f"Mentions, {time.strftime('%Y-%m-%d')}"
    yield (
        f"Python {platform.python_version()}, {os.cpu_count()} cores, {_processor()}, "
        f"load {os.getloadavg()[0]:.1f}"
    )


def _processor() -> str:
    facts = Path("/proc/cpuinfo")
    content = facts.read_text("utf-8") if facts.exists() else ""
    found = re.search(r"model name\s*: (.+)", content)
    return found[1] if found else platform.machine()


def _people(count: int) -> list[Person]:
    names = [*product(FIRST.split(), LAST.split())]
    return [
        person(f"p{at}", "{}{number} {}".format(*names[at % len(names)], number=at))
        for at in range(count)
    ]


def _directory(people: Sequence[Person]) -> Directory:
    owners: dict[str, list[Person]] = {}
    for someone in people:
        owners.setdefault(name_key(someone.name), []).append(someone)
        owners.setdefault(address_key(someone.email), []).append(someone)
    return owners


def _texts(people: Sequence[Person], count: int = 200) -> list[str]:
    """Return messages of about 150 characters with one or two handles of these people."""
    chance = random.Random(7)
    texts: list[str] = []
    for _ in range(count):
        words = chance.choices(TALK.split(), k=25)
        for _ in range(chance.choice([1, 2])):
            words.insert(chance.randrange(20), f"@{chance.choice(people).name}")
        texts.append(" ".join(words))
    return texts


def _read(text: str, owners: Sequence[Person]) -> object:
    return resolve_mentions(
        text, author=IVY, channel=BROADCAST, project=P1, owners=owners
    )


def _read_in_two_steps(text: str, directory: Directory) -> object:
    keys = lookup_keys_in(text)
    return _read(text, [p for key in keys for p in directory.get(key, ())])


def _chat() -> Iterator[str]:
    people = _people(10_000)
    few, many = _texts(people[:100]), _texts(people)
    plain = [" ".join(TALK.split())] * len(few)
    directory = _directory(people)
    naive = {
        size: re.compile("|".join(re.escape(f"@{p.name}") for p in people[:size]))
        for size in (100, 10_000)
    }
    contenders: dict[str, Work] = {
        "no sign in the text": lambda: [_read(text, people) for text in plain],
        "keys": lambda: [lookup_keys_in(text) for text in many],
        "keys, owners, outcomes": lambda: [
            _read_in_two_steps(text, directory) for text in many
        ],
        "re.findall, 100 names": lambda: [naive[100].findall(text) for text in few],
        "re.findall, 10,000 names": lambda: [
            naive[10_000].findall(text) for text in many
        ],
        **_published(many),
    }
    length = statistics.mean(map(len, many))
    yield f"\nMessages of {length:.0f} characters on average, one or two handles"
    for name, seconds in medians(contenders).items():
        yield f"  {name:36} {seconds / len(many) * 1e6:9.2f} us a message"


def _published(texts: Sequence[str]) -> dict[str, Work]:
    """Time an extractor of user names, on the same messages with names of one word."""
    try:
        parser = importlib.import_module("ttp.ttp").Parser()
    except ImportError:
        return {}
    single = [re.sub(r"@(\w+) (\w+)", r"@\1_\2", text) for text in texts]
    return {
        "twitter-text-python, knowing nobody": lambda: [
            parser.parse(text).users for text in single
        ]
    }


def _directories() -> Iterator[str]:
    texts = _texts(_people(100))
    sizes = {size: _directory(_people(size)) for size in (100, 100_000)}
    contenders: dict[str, Work] = {
        f"{size:,} people": lambda known=known: [  # type: ignore[misc]
            _read_in_two_steps(text, known) for text in texts
        ]
        for size, known in sizes.items()
    }
    figures = medians(contenders)
    yield "\nThe same messages, by the size of the directory"
    for name, seconds in figures.items():
        yield f"  {name:36} {seconds / len(texts) * 1e6:9.2f} us a message"
    small, large = figures.values()
    yield f"  {'ratio':36} {large / small:9.2f}"


def _hostile() -> Iterator[str]:
    yield "\nHostile texts of a megabyte"
    for name, text in HOSTILE.items():
        figures = medians(
            {
                "outcomes": lambda text=text: _read(text, [NAT, NIA]),  # type: ignore[misc]
                "keys": lambda text=text: lookup_keys_in(text),  # type: ignore[misc]
            },
            rounds=5,
        )
        outcomes, keys = (seconds * 1e3 for seconds in figures.values())
        yield f"  {name:36} {outcomes:9.1f} ms, its keys {keys:9.1f} ms"


if __name__ == "__main__":
    main()
