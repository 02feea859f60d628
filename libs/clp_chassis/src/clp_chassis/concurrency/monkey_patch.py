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
from collections.abc import Callable
from typing import Any, Final

# How eventlet is told which resolver to use, and its functions.
CHOICE: Final = "EVENTLET_NO_GREENDNS"
LOOKUPS: Final = ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "getnameinfo")

_is_chosen = CHOICE in os.environ
os.environ.setdefault("PSYCOPG_WAIT_FUNC", "wait_selector")
if not _is_chosen:
    os.environ[CHOICE] = "yes"

with warnings.catch_warnings():
    # eventlet warns of its deprecation; only the edges may import it.
    warnings.simplefilter("ignore")
    import eventlet
    from eventlet.green import socket as green_socket

if not _is_chosen:
    del os.environ[CHOICE]


def _is_address(host: Any) -> bool:
    """Whether a host, or that of a socket address, is None or an address in digits."""
    if isinstance(host, tuple):
        host = host[0]
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    try:
        return host is None or bool(ipaddress.ip_address(host))
    except ValueError:
        return False


def _looked_up(name: str, native: Callable[..., Any]) -> Callable[..., Any]:
    def look_up(host: Any, *arguments: Any, **options: Any) -> Any:
        if _is_address(host):
            return native(host, *arguments, **options)
        greendns = importlib.import_module("eventlet.support.greendns")
        return getattr(greendns, name)(host, *arguments, **options)

    return look_up


if not eventlet.patcher.is_monkey_patched("socket"):
    if not _is_chosen:
        for _name in LOOKUPS:
            _native = getattr(green_socket, _name)
            setattr(green_socket, _name, _looked_up(_name, _native))
    eventlet.monkey_patch()

PATCHED = True
