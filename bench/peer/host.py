"""What both sides of the comparison must do, and how they are told to."""

import json
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

WRITERS: Final = tuple(f"writer{number}" for number in range(8))
READERS: Final = tuple(f"reader{number}" for number in range(49))
MAILED: Final = tuple(f"mailed{number}" for number in range(48))
# A word in one message of ten, so that a search has more than a page to choose from.
WORD: Final = "marmalade"
PATIENCE_S: Final = 120.0


def text_of(number: int) -> str:
    """A message of the usual length."""
    word = WORD if number % 10 == 0 else "translation"
    return f"Line {number}: please check the {word} of scene {number % 97} by Friday."


class House(ABC):
    """One system with the same people in it, ready for the conversation."""

    @abstractmethod
    def running(self) -> Iterator[None]:
        """Start, with everybody in place; end after the yield."""

    @abstractmethod
    def post(self, writer: str, number: int) -> None:
        """Post a message in the channel that everybody reads; return when it is kept."""

    @abstractmethod
    def broadcast(self) -> Callable[[str], bool]:
        """Post what all readers hear; give the question whether a reader reads it."""

    @abstractmethod
    def search(self) -> int:
        """Look for a word; give the number of hits on the first page."""

    @abstractmethod
    def unread(self) -> int:
        """How many messages a reader has not read."""

    @abstractmethod
    def prepare_mail(self) -> None:
        """Make a channel of which 48 people want mails, and nobody has posted to."""

    @abstractmethod
    def mail_out(self) -> None:
        """Post to that channel."""

    @property
    @abstractmethod
    def mail_folder(self) -> Path:
        """Where the mails arrive, one file each."""

    # ---- the conversation

    def one_writer(self, first: int, messages: int) -> None:
        """One writer posts, each message after the one before was kept."""
        for number in range(first, first + messages):
            self.post(WRITERS[0], number)

    def eight_writers(self, first: int, messages: int) -> None:
        """Eight writers post at the same time, each as the one alone."""
        each = messages // len(WRITERS)

        def write(place: int) -> None:
            for number in range(each):
                self.post(WRITERS[place], first + number * len(WRITERS) + place)

        in_parallel(write, range(len(WRITERS)))

    def broadcast_to_all(self) -> None:
        """One message, until each of 49 readers has read it."""
        reads = self.broadcast()
        in_parallel(lambda reader: until(lambda: reads(reader)), READERS)

    def mails(self) -> None:
        """One message, until 48 mails about it have arrived."""
        before = self._arrived()
        self.mail_out()
        until(lambda: self._arrived() >= before + len(MAILED))

    def _arrived(self) -> int:
        folder = self.mail_folder
        if not folder.exists():
            return 0
        return sum(1 for path in folder.iterdir() if path.name[0] != ".")


def in_parallel(act: Callable[[Any], None], each: Sequence[Any]) -> None:
    """Do it for each at the same time, eight at once."""
    with ThreadPoolExecutor(len(WRITERS)) as pool:
        list(pool.map(act, each))


def until(holds: Callable[[], bool]) -> None:
    """Wait for a condition; raise when it does not come true."""
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError("what was waited for did not happen")
        time.sleep(0.005)


def answer_commands(house: House) -> None:
    """Do what standard input asks for, a line each; answer with the seconds it took."""
    acts: dict[str, Callable[..., object]] = {
        "one_writer": house.one_writer,
        "eight_writers": house.eight_writers,
        "broadcast": house.broadcast_to_all,
        "search": house.search,
        "unread": house.unread,
        "prepare_mail": house.prepare_mail,
        "mails": house.mails,
    }
    with contextmanager(house.running)():
        _say({"ready": True})
        for line in sys.stdin:
            asked = json.loads(line)
            act = acts[asked.pop("do")]
            began = time.perf_counter()
            gave = act(**asked)
            _say({"seconds": time.perf_counter() - began, "gave": gave})


def _say(told: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()
