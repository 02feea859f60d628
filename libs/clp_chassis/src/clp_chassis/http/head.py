"""The head of a request, line by line: what proxies may read differently is refused."""

import re
from email.message import Message
from typing import Any, Final

# RFC 9110, section 5.6.2 (token), and RFC 9112, section 5: no space before the colon,
# no line folding, no control character but the tab in a value.
HEADER_LINE: Final = re.compile(
    rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e\x80-\xff]*\r\n"
)
# RFC 9112, section 3: method, target and version, one space between them.
REQUEST_LINE: Final = re.compile(
    rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+ [\x21-\x7e\x80-\xff]+ HTTP/1\.[01]\r\n"
)
# RFC 9110, section 7.2: a name or an address, perhaps with a port.
HOST: Final = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=%:\[\]-]*")
END: Final = b"\r\n"


class MalformedHead(Exception):
    """A line of the head that a proxy may have read in another way."""


class StrictHead:
    """A file of header lines that raises `MalformedHead` for what is not one."""

    def __init__(self, rfile: Any) -> None:
        self._rfile = rfile

    def readline(self, size: int = -1) -> bytes:
        """Read the next line."""
        line: bytes = self._rfile.readline(size)
        if line and line != END and not HEADER_LINE.fullmatch(line):
            raise MalformedHead
        return line


def require_request_line(line: bytes) -> None:
    """Raise `MalformedHead` unless this is the first line of a request."""
    if not REQUEST_LINE.fullmatch(line):
        raise MalformedHead


def require_clear_recipient(headers: Message, version: str) -> None:
    """Raise `MalformedHead` for a host or coding that servers take in several ways.

    HTTP/1.1 has one host, and HTTP/1.0 no transfer codings (RFC 9112, 3.2 and 6.1).
    """
    hosts = headers.get_all("host", [])
    is_old = version == "HTTP/1.0"
    if len(hosts) > 1 or not (hosts or is_old):
        raise MalformedHead
    if not all(map(HOST.fullmatch, hosts)):
        raise MalformedHead
    if is_old and "transfer-encoding" in headers:
        raise MalformedHead
