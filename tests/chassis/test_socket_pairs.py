"""A pair of sockets belongs to who asked for it, whoever had its numbers before."""

import os
import socket

import eventlet

from clp_chassis.socket_pairs import socket_pair


def test_numbers_that_somebody_still_waits_for_are_taken_over() -> None:
    left, right = socket.socketpair()
    number = left.fileno()
    waiting = eventlet.spawn(left.recv, 1)
    eventlet.sleep(0)
    # Gone behind the framework's back, as when a library lets go of a socket.
    os.close(left.fd.detach())  # type: ignore[attr-defined]

    ours, theirs = socket_pair()
    with ours, theirs, right:
        assert number in {ours.fileno(), theirs.fileno()}
        for one, other in ((ours, theirs), (theirs, ours)):
            one.settimeout(5)
            eventlet.spawn(other.sendall, b"x")
            assert one.recv(1) == b"x"
    waiting.kill()
