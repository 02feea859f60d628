"""The interface of both sides of the comparison, and its commands."""

import json
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

WRITERS: Final = tuple(f"writer{number}" for number in range(8))
READERS: Final = tuple(f"reader{number}" for number in range(49))
MAILED: Final = tuple(f"mailed{number}" for number in range(48))
# A word in one message of ten, so that a search has more than a page to choose from.
WORD: Final = "marmalade"
TIMEOUT_S: Final = 120.0


def text_of(number: int) -> str:
    """Return a message of the usual length."""
    word = WORD if number % 10 == 0 else "translation"
    return f"Line {number}: please check the {word} of scene {number % 97} by Friday."


class PeerSystem(ABC):
    """A system with the same people, ready for the conversation."""

    @abstractmethod
    def running(self) -> Iterator[None]:
        """Start, with everybody in place; stop after the yield."""

    @abstractmethod
    def post(self, writer: str, number: int) -> None:
        """Post a message in the channel that everybody reads; return when it is stored."""

    @abstractmethod
    def broadcast(self) -> Callable[[str], bool]:
        """Post what all readers get; return a function: whether a reader has read it."""

    @abstractmethod
    def listening(self) -> AbstractContextManager[None]:
        """Let each reader wait for live updates, until the block ends."""

    @abstractmethod
    def received(self, reader: str) -> int:
        """Return how many messages came to a reader by themselves."""

    @abstractmethod
    def search(self) -> int:
        """Search for a word; return the number of hits on the first page."""

    @abstractmethod
    def unread(self) -> int:
        """Return how many messages a reader has not read."""

    @abstractmethod
    def prepare_mail(self) -> None:
        """Create a channel without messages, of which 48 people want mails."""

    @abstractmethod
    def mail_out(self) -> None:
        """Post to that channel."""

    @property
    @abstractmethod
    def mail_folder(self) -> Path:
        """The folder of arriving mails, one file each."""

    # ---- the conversation

    def one_writer(self, first: int, messages: int) -> None:
        """Post with one writer, each message after the one before was stored."""
        for number in range(first, first + messages):
            self.post(WRITERS[0], number)

    def eight_writers(self, first: int, messages: int) -> None:
        """Post with eight writers at the same time."""
        each = messages // len(WRITERS)

        def write(place: int) -> None:
            for number in range(each):
                self.post(WRITERS[place], first + number * len(WRITERS) + place)

        in_parallel(write, range(len(WRITERS)))

    def broadcast_to_all(self) -> None:
        """Post one message, until each of 49 readers has read it."""
        reads = self.broadcast()
        in_parallel(lambda reader: until(lambda: reads(reader)), READERS)

    def listen(self) -> None:
        """Begin to wait for live updates with 49 readers."""
        self._open = ExitStack()
        self._open.enter_context(self.listening())

    def live(self, number: int) -> None:
        """Post one message, until it has come to each of 49 readers by itself."""
        waiting = {reader: self.received(reader) for reader in READERS}

        def all_received() -> bool:
            for reader, before in list(waiting.items()):
                if self.received(reader) > before:
                    del waiting[reader]
            return not waiting

        self.post(WRITERS[0], number)
        until(all_received)

    def leave(self) -> None:
        """End what `listen` began."""
        self._open.close()

    def mails(self) -> None:
        """Post one message, until 48 mails about it have arrived."""
        before = self._arrived()
        self.mail_out()
        until(lambda: self._arrived() >= before + len(MAILED))

    def _arrived(self) -> int:
        folder = self.mail_folder
        if not folder.exists():
            return 0
        return sum(1 for path in folder.iterdir() if path.name[0] != ".")


def in_parallel(command: Callable[[Any], None], each: Sequence[Any]) -> None:
    """Run a function for each item, eight at once."""
    with ThreadPoolExecutor(len(WRITERS)) as pool:
        list(pool.map(command, each))


def until(holds: Callable[[], bool]) -> None:
    """Wait for a condition; raise when it does not come true."""
    deadline = time.monotonic() + TIMEOUT_S
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError("what was waited for did not happen")
        time.sleep(0.005)


def run_commands(system: PeerSystem) -> None:
    """Run the commands of standard input, one per line; print the seconds of each."""
    commands: dict[str, Callable[..., object]] = {
        "one_writer": system.one_writer,
        "eight_writers": system.eight_writers,
        "broadcast": system.broadcast_to_all,
        "listen": system.listen,
        "live": system.live,
        "leave": system.leave,
        "search": system.search,
        "unread": system.unread,
        "prepare_mail": system.prepare_mail,
        "mails": system.mails,
    }
    with contextmanager(system.running)():
        _print({"ready": True})
        for line in sys.stdin:
            request = json.loads(line)
            command = commands[request.pop("do")]
            started = time.perf_counter()
            result = command(**request)
            _print({"seconds": time.perf_counter() - started, "gave": result})


def _print(values: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(values) + "\n")
    sys.stdout.flush()
