"""Control of the failing network: a proxy process with a route per target."""

import socket
import subprocess
import sys
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from clp_suite.server_process import (
    as_account,
    can_connect,
    free_ports,
    wait_until,
)


class Network:
    """Forwards connections to ports, each through a port of its own."""

    def __init__(self, targets: Mapping[str, int]) -> None:
        self._control, *ports = free_ports(1 + len(targets))
        self._ports = dict(zip(targets, ports, strict=True))
        told = [f"{name}={self._ports[name]}:{to}" for name, to in targets.items()]
        self._command = ["tests.faults.proxy", str(self._control), *told]
        self.detours = {to: self._ports[name] for name, to in targets.items()}

    def __enter__(self) -> Self:
        self._proxy = subprocess.Popen(
            [*as_account(None), sys.executable, "-m", *self._command]
        )
        wait_until(
            lambda: can_connect(self._control), 60, lambda: "the proxy does not start"
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._proxy.kill()
        self._proxy.wait()

    def turn(self, route: str, verb: str, number: int = 0) -> None:
        """Change the fault of a route."""
        with socket.create_connection(("127.0.0.1", self._control), 10) as line:
            line.sendall(f"{route} {verb} {number}\n".encode())
            reply = line.recv(10)
        if reply != b"ok\n":
            raise ValueError(f"no such route or verb: {route} {verb}")

    def port(self, route: str) -> int:
        """Return the port of a route."""
        return self._ports[route]
