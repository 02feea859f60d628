"""A pair of sockets belongs to who asked for it, whoever had its numbers before."""

import os
import socket

import eventlet

from clp_chassis.socket_pairs import socket_pair


def _outcome(one: socket.socket) -> str:
    try:
        one.recv(1)
    except (OSError, EOFError, ValueError) as error:
        return type(error).__name__
    return "read"


def test_numbers_that_somebody_still_waits_for_are_taken_over() -> None:
    left, right = socket.socketpair()
    number = left.fileno()
    waiting = eventlet.spawn(_outcome, left)
    eventlet.sleep(0)
    # Gone behind the framework's back, as when a library lets go of a socket.
    os.close(left.fd.detach())  # type: ignore[attr-defined]

    ours, theirs = socket_pair()
    with ours, theirs, right:
        assert number in {ours.fileno(), theirs.fileno()}
        for one, other in ((ours, theirs), (theirs, ours)):
            one.settimeout(5)
            other.sendall(b"x")
            assert one.recv(1) == b"x"
    with eventlet.Timeout(5):
        assert waiting.wait() != "read"
