"""Two sockets joined with each other, for talking to a process of one's own."""

import socket

from eventlet.hubs import notify_opened


def socket_pair() -> tuple[socket.socket, socket.socket]:
    """A fresh pair.

    The system gives it numbers that other sockets may have had. Whoever still waits for
    one of those waits for nothing, and is not to be in the way; the framework sees to
    that for every socket but a pair.
    """
    pair = socket.socketpair()
    for one in pair:
        notify_opened(one.fileno())
    return pair
