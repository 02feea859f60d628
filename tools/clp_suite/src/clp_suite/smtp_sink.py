"""``python -m clp_suite.smtp_sink PORT FOLDER``: an SMTP server that stores every mail.

With ``--certificate FILE`` (certificate and key in one file) it speaks SMTP over TLS,
or with ``--starttls`` requires STARTTLS (RFC 3207).
"""

import argparse
import asyncio
import itertools
import os
import signal
import ssl
import time
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope


class MailWriter:
    """Write each mail to a file; names sort by time of arrival."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._numbers = itertools.count()

    async def handle_DATA(  # noqa: N802
        self, _server: Any, _session: Any, envelope: Envelope
    ) -> str:
        """Store a mail's raw bytes, and its envelope sender as a server does."""
        name = f"{time.monotonic_ns():020d}.{next(self._numbers):08d}.eml"
        part = self._folder / f".{name}"
        return_path = f"Return-Path: <{envelope.mail_from}>\r\n".encode()
        part.write_bytes(return_path + bytes(envelope.original_content or b""))
        part.rename(self._folder / name)
        return "250 stored"


async def serve(
    address: tuple[str, int],
    folder: Path,
    tls: ssl.SSLContext | None = None,
    *,
    starttls: bool = False,
) -> None:
    """Serve until SIGTERM."""
    writer = MailWriter(folder)
    loop = asyncio.get_running_loop()
    stop_requested = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop_requested.set)
    server = await loop.create_server(
        lambda: SMTP(
            writer,
            enable_SMTPUTF8=True,
            hostname="sink.example",
            tls_context=tls if starttls else None,
            require_starttls=starttls,
        ),
        *address,
        ssl=None if starttls else tls,
    )
    async with server:
        await stop_requested.wait()


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(
        prog="python -m clp_suite.smtp_sink",
        description="Run an SMTP server that stores every mail as a file.",
    )
    parser.add_argument("port", type=int, choices=range(65_536), metavar="port")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--certificate", type=Path, help="PEM file with its key")
    parser.add_argument("--address", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--starttls", action="store_true", help="require STARTTLS")
    args = parser.parse_args()
    # Mails are readable by this account only.
    os.umask(0o077)
    tls = None
    if args.certificate is not None:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(args.certificate)
    address = (args.address, args.port)
    asyncio.run(serve(address, args.folder, tls, starttls=args.starttls))


if __name__ == "__main__":
    main()
