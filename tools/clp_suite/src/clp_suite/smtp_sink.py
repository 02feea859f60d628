"""``python -m clp_suite.smtp_sink PORT FOLDER``: an SMTP server that keeps every mail.

With ``--certificate FILE`` (certificate and key in one file) it speaks SMTP over TLS,
or offers STARTTLS and takes no mail without it.
"""

import argparse
import asyncio
import itertools
import signal
import ssl
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


async def serve(
    address: tuple[str, int],
    folder: Path,
    tls: ssl.SSLContext | None = None,
    *,
    starttls: bool = False,
) -> None:
    """Serve until asked to end."""
    keeper = Keeper(folder)
    loop = asyncio.get_running_loop()
    asked_to_end = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, asked_to_end.set)
    server = await loop.create_server(
        lambda: SMTP(
            keeper,
            enable_SMTPUTF8=True,
            hostname="sink.example",
            tls_context=tls if starttls else None,
            require_starttls=starttls,
        ),
        *address,
        ssl=None if starttls else tls,
    )
    async with server:
        await asked_to_end.wait()


def main() -> None:
    """Read the command line and serve."""
    asked = argparse.ArgumentParser(
        prog="python -m clp_suite.smtp_sink",
        description="An SMTP server that keeps every mail as a file.",
    )
    asked.add_argument("port", type=int)
    asked.add_argument("folder", type=Path)
    asked.add_argument("--certificate", type=Path, help="PEM file with its key")
    asked.add_argument("--address", default="127.0.0.1", help="where to listen")
    asked.add_argument("--starttls", action="store_true", help="TLS on request")
    given = asked.parse_args()
    tls = None
    if given.certificate is not None:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(given.certificate)
    address = (given.address, given.port)
    asyncio.run(serve(address, given.folder, tls, starttls=given.starttls))


if __name__ == "__main__":
    main()
