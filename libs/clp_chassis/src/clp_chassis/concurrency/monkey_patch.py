"""Import this first: it makes the standard library cooperate with eventlet.

The import is the effect. Sockets, locks, sleeps and subprocesses of the whole process
become cooperative, and psycopg waits in a way that lets other green threads run.
Modules imported before keep working; importing this module twice changes nothing. Entry
points (`__main__`, `conftest`, the embedded suite) import it before the other modules.

Eventlet looks names up with a DNS client of its own, which takes a fifth of the time
that a process starts in. It is loaded when the first name is looked up; addresses in
digits need none. With ``EVENTLET_NO_GREENDNS`` set it is used at once or never, as
Eventlet documents.
"""

import importlib
import ipaddress
import os
import warnings
from typing import Any, Final

# How eventlet is told which resolver to use.
CHOICE: Final = "EVENTLET_NO_GREENDNS"

_is_chosen = CHOICE in os.environ
os.environ.setdefault("PSYCOPG_WAIT_FUNC", "wait_selector")
if not _is_chosen:
    os.environ[CHOICE] = "yes"

with warnings.catch_warnings():
    # eventlet warns of its deprecation; only the edges may import it.
    warnings.simplefilter("ignore")
    import eventlet
    from eventlet.green import _socket_nodns
    from eventlet.green import socket as green_socket

if not _is_chosen:
    del os.environ[CHOICE]


def _is_address(host: Any) -> bool:
    """Whether a host is None or an address in digits."""
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    try:
        return host is None or bool(ipaddress.ip_address(host))
    except ValueError:
        return False


def _resolver(host: Any) -> Any:
    """The resolver: the system for an address, Eventlet's DNS client for a name."""
    if _is_address(host):
        return _socket_nodns
    return importlib.import_module("eventlet.support.greendns")


def getaddrinfo(  # noqa: PLR0917 - as in the standard library
    host: Any,
    port: Any,
    family: int = 0,
    type: int = 0,
    proto: int = 0,
    flags: int = 0,
) -> Any:
    """Look up the socket addresses of a host."""
    return _resolver(host).getaddrinfo(host, port, family, type, proto, flags)


def gethostbyname(hostname: Any) -> Any:
    """Look up the first address of a host."""
    return _resolver(hostname).gethostbyname(hostname)


def gethostbyname_ex(hostname: Any) -> Any:
    """Look up the addresses of a host."""
    return _resolver(hostname).gethostbyname_ex(hostname)


if not eventlet.patcher.is_monkey_patched("socket"):
    if not _is_chosen:
        for _look_up in (getaddrinfo, gethostbyname, gethostbyname_ex):
            setattr(green_socket, _look_up.__name__, _look_up)
    eventlet.monkey_patch()

PATCHED = True
