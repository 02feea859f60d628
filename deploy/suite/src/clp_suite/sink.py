"""``python -m clp_suite.sink PORT FOLDER``: an SMTP server that keeps every mail."""

import asyncio
import itertools
import signal
import sys
import time
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope


class Keeper:
    """Writes each mail to a file; names sort by time of arrival."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._numbers = itertools.count()

    async def handle_DATA(  # noqa: N802
        self, _server: Any, _session: Any, envelope: Envelope
    ) -> str:
        """Keep a mail's raw bytes."""
        name = f"{time.monotonic_ns():020d}.{next(self._numbers):08d}.eml"
        part = self._folder / f".{name}"
        part.write_bytes(bytes(envelope.original_content or b""))
        part.rename(self._folder / name)
        return "250 kept"


async def serve(port: int, folder: Path) -> None:
    """Serve until asked to end."""
    keeper = Keeper(folder)
    loop = asyncio.get_running_loop()
    asked_to_end = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, asked_to_end.set)
    server = await loop.create_server(
        lambda: SMTP(keeper, enable_SMTPUTF8=True, hostname="sink.example"),
        "127.0.0.1",
        port,
    )
    async with server:
        await asked_to_end.wait()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), Path(sys.argv[2])))
