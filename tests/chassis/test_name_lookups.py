"""The DNS client of Eventlet is loaded for names only, when the first is looked up."""

import subprocess
import sys

PROGRAM = """
from clp_chassis.concurrency import monkey_patch
import os, socket, sys
client = "eventlet.support.greendns"
print(client in sys.modules, "EVENTLET_NO_GREENDNS" in os.environ)
for host in ("127.0.0.1", b"127.0.0.1", "::1", None):
    print(socket.getaddrinfo(host, 80, type=socket.SOCK_STREAM)[0][4][1])
print(socket.gethostbyname("127.0.0.1"), client in sys.modules)
server = socket.create_server(("127.0.0.1", 0))
socket.create_connection(("localhost", server.getsockname()[1])).close()
print(socket.gethostbyname("localhost"), client in sys.modules)
"""


def test_the_client_is_loaded_for_the_first_name_and_for_no_address() -> None:
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.splitlines() == [
        "False False",
        *["80"] * 4,
        "127.0.0.1 False",
        "127.0.0.1 True",
    ]
