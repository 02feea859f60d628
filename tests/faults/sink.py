"""``python -m tests.faults.sink PORT LOG``: an SMTP relay with faults, and its log.

Every mail that it takes is one line of the log, written before the reply: when the
delivery began and ended, for whom, its Message-ID, the marked words of its text, and
whether the relay was cut off right after it had taken it. Options:

While the file LOG.refusal exists, the relay refuses its clients: the file holds the
command (or CONNECT) and the reply. Each refusal is a line of LOG.refused.

    --busy 0.02    so many tries are answered 451, each mail at most ``--busy-most`` times
    --cut 0.001    so many mails are taken, and the line is cut before the answer
    --seed 7       which ones these are
"""

import argparse
import asyncio
import contextlib
import email
import email.utils
import json
import random
import re
import signal
import time
from collections import Counter
from email.message import Message
from pathlib import Path
from typing import Any

AND_MORE = re.compile(r"^and (\d+) more messages?:", re.MULTILINE)
WORD = re.compile(r"\bw\d{2}c\d{2}n\d{6}\b")
EXTENSIONS = (
    *("sink.example", "PIPELINING", "SIZE 50000000", "8BITMIME", "SMTPUTF8"),
    "AUTH PLAIN",
)
AUTHENTICATED = b"235 2.7.0 welcome"


class Faults:
    """Which mails get 451, and which connections are cut; the same for a seed."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._rng = random.Random(options.seed)
        self._busy, self._most, self._cut = options.busy, options.busy_most, options.cut
        self._refused: Counter[str] = Counter()

    def is_busy(self, identity: str) -> bool:
        """Whether this attempt gets 451."""
        if self._rng.random() >= self._busy or self._refused[identity] >= self._most:
            return False
        self._refused[identity] += 1
        return True

    def is_cut(self) -> bool:
        """Whether the connection is cut before the reply."""
        return self._rng.random() < self._cut


def refusal_file(log: Path) -> Path:
    """The file that makes the relay refuse, as one word and the reply."""
    return log.with_suffix(".refusal")


def refused_log(log: Path) -> Path:
    """The log of refusals."""
    return log.with_suffix(".refused")


class Refusals:
    """What the relay refuses while its file says so."""

    def __init__(self, log: Path) -> None:
        self._file = refusal_file(log)
        self._log = refused_log(log).open("a", buffering=1)

    def current(self) -> str:
        """The command and the reply; empty while the relay refuses nothing."""
        try:
            return self._file.read_text()
        except FileNotFoundError:
            return ""

    def reply_to(self, verb: str) -> bytes | None:
        """The refusal of this command."""
        refused, _, reply = self.current().partition(" ")
        if refused != ("EHLO" if verb == "HELO" else verb):
            return None
        self._log.write(json.dumps({"at": time.time(), "command": verb}) + "\n")
        return reply.encode() + b"\r\n"


class Sink:
    """Accepts mails and logs them."""

    def __init__(self, log: Path, faults: Faults) -> None:
        self._log = log.open("a", buffering=1)
        self._faults = faults
        self._refusals = Refusals(log)

    async def talk(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Handle one connection until its end."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            refusal = self._refusals.reply_to("CONNECT")
            writer.write(refusal or b"220 sink.example ESMTP\r\n")
            began_with = self._refusals.current()
            mail: dict[str, Any] = {}
            while line := (await reader.readline()).decode("utf-8", "replace").strip():
                # As a relay that was restarted with other settings.
                if refusal or self._refusals.current() != began_with:
                    break
                if not await self._reply(line, mail, reader, writer):
                    break
        writer.close()

    async def _reply(
        self,
        line: str,
        mail: dict[str, Any],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> bool:
        """Reply to a command; return whether the connection goes on."""
        verb = line.upper()
        if reply := self._refusals.reply_to(verb.split(" ")[0].split(":")[0]):
            writer.write(reply)
            return True
        if verb == "DATA":
            writer.write(b"354 go on\r\n")
            body = (await reader.readuntil(b"\r\n.\r\n"))[:-5]
            return self._takes(mail, body, writer)
        if verb.startswith("MAIL"):
            mail.clear()
            mail["begun"] = time.time()
        if verb.startswith("RCPT"):
            mail["to"] = line.partition("<")[2].partition(">")[0]
        writer.write(_reply_to(verb))
        return verb != "QUIT"

    def _takes(
        self, mail: dict[str, Any], body: bytes, writer: asyncio.StreamWriter
    ) -> bool:
        read = email.message_from_bytes(body)
        identity = str(read["Message-ID"])
        if self._faults.is_busy(identity):
            writer.write(b"451 4.3.0 later\r\n")
            return True
        cut = self._faults.is_cut()
        noted = {**mail, "at": time.time(), "id": identity, "cut": cut}
        noted |= {"words": marked_words(read), "more": more_than_shown(read)}
        self._log.write(json.dumps(noted) + "\n")
        if cut:
            writer.transport.abort()
            return False
        writer.write(b"250 2.0.0 kept\r\n")
        return True


def _reply_to(verb: str) -> bytes:
    if verb.startswith("EHLO"):
        last = len(EXTENSIONS) - 1
        return b"".join(
            f"250{' ' if at == last else '-'}{name}\r\n".encode()
            for at, name in enumerate(EXTENSIONS)
        )
    if verb.startswith("AUTH"):
        return AUTHENTICATED + b"\r\n"
    return b"221 bye\r\n" if verb == "QUIT" else b"250 2.0.0 go on\r\n"


def _text(read: Message) -> str:
    for part in read.walk():
        if part.get_content_type() == "text/plain":
            return part.get_payload(decode=True).decode("utf-8", "replace")
    return ""


def marked_words(read: Message) -> list[str]:
    return sorted(set(WORD.findall(_text(read))))


def more_than_shown(read: Message) -> int:
    """Return how many messages a mail counts without showing them."""
    return sum(map(int, AND_MORE.findall(_text(read))))


def recipient_and_words(raw: bytes) -> tuple[str, str, list[str]]:
    """Return recipient and marked words of a mail in a folder."""
    read = email.message_from_bytes(raw)
    _, address = email.utils.parseaddr(str(read["To"]))
    return str(read["Message-ID"]), address.partition("@")[0], marked_words(read)


async def serve(port: int, sink: Sink) -> None:
    """Serve until told to stop."""
    asked_to_end = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, asked_to_end.set)
    await asyncio.start_server(sink.talk, "127.0.0.1", port, limit=1 << 26)
    await asked_to_end.wait()


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("port", type=int)
    options.add_argument("log", type=Path)
    options.add_argument("--busy", type=float, default=0.0)
    options.add_argument("--busy-most", type=int, default=2)
    options.add_argument("--cut", type=float, default=0.0)
    options.add_argument("--seed", type=int, default=0)
    given = options.parse_args()
    asyncio.run(serve(given.port, Sink(given.log, Faults(given))))


if __name__ == "__main__":
    main()
