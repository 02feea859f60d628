"""The socket of a client: what the kernel holds back, and how to take it back."""

import fcntl
import socket
import struct
from contextlib import suppress
from typing import Any, Final

# Linux: bytes in the send queue that were not sent yet (tcp(7), linux/sockios.h).
SIOCOUTQNSD: Final = 0x894B
# The first byte of `tcp_info` (tcp(7)) of a connection that neither side has closed.
ESTABLISHED: Final = 1
RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)


class ClientSocket:
    """The connected TCP socket of one client."""

    def __init__(self, sock: Any) -> None:
        self._socket = sock

    def limit_send_buffer(self, size: int) -> None:
        """Let the kernel take about so many bytes that the client has not received."""
        with suppress(OSError):
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, size)

    def unsent(self) -> int:
        """Return how many bytes the kernel has taken and not sent yet."""
        try:
            count = fcntl.ioctl(self._socket.fileno(), SIOCOUTQNSD, bytes(4))
        except (OSError, ValueError):
            # Closed already.
            return 0
        return int.from_bytes(count, "little")

    def is_gone(self) -> bool:
        """Whether the client has closed the connection, or nobody has it any more."""
        try:
            state = self._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)
        except (OSError, ValueError):
            return True
        return bool(state[0] != ESTABLISHED)

    def reset(self) -> None:
        """End the connection; what the kernel has not sent is never sent."""
        with suppress(OSError):
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
            # Wakes a writer that waits for this client; closing then resets.
            self._socket.shutdown(socket.SHUT_RDWR)
