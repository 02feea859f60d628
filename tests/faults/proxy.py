"""``python -m tests.faults.proxy CONTROL NAME=LISTEN:TARGET ...``: a network that fails.

Each route carries TCP from one loopback port to another. A connection sent to the control
port changes how: ``ROUTE VERB [NUMBER]``, answered with ``ok``.

    pass            carry everything
    delay 500       every chunk waits so many milliseconds
    drop 5          five chunks in a hundred are lost, each with a reset of its connection
    half-open       nothing is carried and nobody is told; new connections hang as well
    reset           all connections end with a reset, new ones are carried
    throttle 1000   so many bytes a second on each connection
    cut 4096        each connection ends after so many more bytes; new ones too
"""

import asyncio
import contextlib
import random
import signal
import socket
import struct
import sys
from dataclasses import dataclass, field

LOOPBACK = "127.0.0.1"
CHUNK = 1 << 14
VERBS = frozenset({"pass", "delay", "drop", "half-open", "reset", "throttle", "cut"})


@dataclass(eq=False)
class ProxiedConnection:
    """One connection: both its ends, and the bytes it has carried."""

    ends: tuple[asyncio.StreamWriter, asyncio.StreamWriter]
    left: int | None = None

    def reset(self) -> None:
        """End both sides with a reset, as a crashed machine's kernel would."""
        linger = struct.pack("ii", 1, 0)
        for end in self.ends:
            bare = end.get_extra_info("socket")
            if bare is not None and bare.fileno() >= 0:
                bare.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            end.transport.abort()


@dataclass(eq=False)
class Route:
    """What happens to every connection of one route at the moment."""

    target: int
    rng: random.Random
    verb: str = "pass"
    number: int = 0
    connections: set[ProxiedConnection] = field(default_factory=set)
    open: asyncio.Event = field(default_factory=asyncio.Event)

    def turn(self, verb: str, number: int) -> None:
        """From now on, do this."""
        self.verb, self.number = verb, number
        if verb == "reset":
            for connection in tuple(self.connections):
                connection.reset()
            self.verb = "pass"
        if verb == "cut":
            for connection in self.connections:
                connection.left = number
        if self.verb == "half-open":
            self.open.clear()
        else:
            self.open.set()

    async def accept(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Carry a new connection until one of its ends closes."""
        await self.open.wait()
        try:
            far = await asyncio.open_connection(LOOPBACK, self.target)
        except OSError:
            writer.transport.abort()
            return
        connection = ProxiedConnection(
            (writer, far[1]), self.number if self.verb == "cut" else None
        )
        self.connections.add(connection)
        await asyncio.gather(
            self._carry(reader, far[1], connection),
            self._carry(far[0], writer, connection),
        )
        self.connections.discard(connection)

    async def _carry(
        self,
        source: asyncio.StreamReader,
        to: asyncio.StreamWriter,
        connection: ProxiedConnection,
    ) -> None:
        with contextlib.suppress(OSError):
            while chunk := await source.read(CHUNK):
                await self.open.wait()
                if not await self._passes(chunk, connection):
                    connection.reset()
                    return
                to.write(chunk)
                await to.drain()
        with contextlib.suppress(OSError):
            to.close()

    async def _passes(self, chunk: bytes, connection: ProxiedConnection) -> bool:
        if self.verb == "delay":
            await asyncio.sleep(self.number / 1000)
        elif self.verb == "throttle":
            await asyncio.sleep(len(chunk) / self.number)
        elif self.verb == "drop":
            return self.rng.randrange(100) >= self.number
        elif self.verb == "cut" and connection.left is not None:
            connection.left -= len(chunk)
            return connection.left >= 0
        return True


async def serve(control: int, routes: dict[str, tuple[int, Route]]) -> None:
    """Carry and apply commands until asked to end."""

    async def apply_command(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while said := (await reader.readline()).decode().split():
            name, verb, *rest = said
            known = name in routes and verb in VERBS
            if known:
                routes[name][1].turn(verb, int(rest[0]) if rest else 0)
            writer.write(b"ok\n" if known else b"what\n")
        writer.close()

    asked_to_end = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, asked_to_end.set)
    for port, route in routes.values():
        route.open.set()
        await asyncio.start_server(route.accept, LOOPBACK, port)
    await asyncio.start_server(apply_command, LOOPBACK, control)
    await asked_to_end.wait()


def main() -> None:
    control, *arguments = sys.argv[1:]
    routes: dict[str, tuple[int, Route]] = {}
    for one in arguments:
        name, _, ports = one.partition("=")
        listen, _, target = ports.partition(":")
        routes[name] = (int(listen), Route(int(target), random.Random(name)))
    with contextlib.suppress(asyncio.CancelledError):
        asyncio.run(serve(int(control), routes))


if __name__ == "__main__":
    main()
