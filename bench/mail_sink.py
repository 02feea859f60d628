"""A relay that only counts: ``python -m bench.mail_sink PORT [DELAY_MS]``.

It offers pipelining, replies to each command group after the delay, and once a second
prints how many mails it received and how many were new.
"""

import asyncio
import re
import sys
from typing import Final

from typing_extensions import override

OFFERED: Final = (
    b"250-sink.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n"
)
MESSAGE_ID: Final = re.compile(rb"^message-id:\s*(\S+)", re.IGNORECASE | re.MULTILINE)
REPLIES: Final = {
    b"EHLO": OFFERED,
    b"HELO": b"250 sink.example\r\n",
    b"DATA": b"354 go on\r\n",
    b"QUIT": b"221 bye\r\n",
}


class Counter:
    """Counts the mails of all connections."""

    def __init__(self) -> None:
        self.taken = 0
        self.seen: set[bytes] = set()


class Connection(asyncio.Protocol):
    """One client connection."""

    def __init__(self, counter: Counter, delay_s: float) -> None:
        self._counter = counter
        self._delay_s = delay_s
        self._held = b""
        self._is_data = False

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(b"220 sink.example ESMTP\r\n")

    @override
    def data_received(self, data: bytes) -> None:
        self._held += data
        replies: list[bytes] = []
        while (reply := self._next()) is not None:
            replies.append(reply)
        if not replies:
            return
        reply = b"".join(replies)
        if self._delay_s:
            loop = asyncio.get_running_loop()
            loop.call_later(self._delay_s, self._transport.write, reply)
        else:
            self._transport.write(reply)

    def _next(self) -> bytes | None:
        if self._is_data:
            mail, end, rest = self._held.partition(b"\r\n.\r\n")
            if not end:
                return None
            self._held, self._is_data = rest, False
            self._take(mail)
            return b"250 2.0.0 kept\r\n"
        line, end, rest = self._held.partition(b"\r\n")
        if not end:
            return None
        self._held = rest
        verb = line[:4].upper()
        self._is_data = verb == b"DATA"
        return REPLIES.get(verb, b"250 2.0.0 go on\r\n")

    def _take(self, mail: bytes) -> None:
        self._counter.taken += 1
        if found := MESSAGE_ID.search(mail):
            self._counter.seen.add(found[1])


async def serve(port: int, delay_s: float) -> None:
    """Serve until the process is ended."""
    counter = Counter()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Connection(counter, delay_s), "127.0.0.1", port
    )
    told = (-1, -1)
    async with server:
        while True:
            now = (counter.taken, len(counter.seen))
            if now != told:
                told = now
                sys.stdout.write(f"{now[0]} {now[1]}\n")
                sys.stdout.flush()
            await asyncio.sleep(0.05)


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), float((sys.argv[2:] or ["0"])[0]) / 1000))
