"""An S3-compatible store of our own, on a free port of the loopback (moto's server)."""

import os
import secrets
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from clp_messages.storage.s3 import S3FileStore, client_for
from clp_suite.server_process import (
    LOOPBACK,
    ServerProcess,
    can_connect,
    free_ports,
    wait_until,
)

# moto takes any credentials, boto3 none at all.
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "clp", "AWS_SECRET_ACCESS_KEY": "clp-secret"}
REGION = "us-east-1"


class Bucket:
    """One bucket: the store that a service has in it, and a look behind."""

    def __init__(self, client: Any, endpoint: str) -> None:
        self._client = client
        self._name = f"clp-{secrets.token_hex(6)}"
        self.url = f"s3://{self._name}/files?endpoint={endpoint}&region={REGION}"
        self.store = S3FileStore(client, self._name, "files/")
        client.create_bucket(Bucket=self._name)

    def names(self) -> list[str]:
        """What lies in it, uploads that never became whole included."""
        listed = self._client.list_objects_v2(Bucket=self._name)
        begun = self._client.list_multipart_uploads(Bucket=self._name)
        found = (*listed.get("Contents", ()), *begun.get("Uploads", ()))
        return [one["Key"].removeprefix("files/") for one in found]

    def lose_all(self) -> None:
        """Lose every file."""
        for name in self.names():
            self._client.delete_object(Bucket=self._name, Key=f"files/{name}")


class ObjectStore:
    """The server. Its client is made once: that takes longer than most tests."""

    def __init__(self, port: int) -> None:
        self.endpoint = f"http://{LOOPBACK}:{port}"
        options = {"endpoint": self.endpoint, "region": REGION}
        self._client = client_for(options)

    def new_bucket(self) -> Bucket:
        """An empty bucket."""
        return Bucket(self._client, self.endpoint)


@contextmanager
def object_store(folder: Path) -> Iterator[ObjectStore]:
    """A running server; it ends with the block."""
    (port,) = free_ports(1)
    server = ServerProcess(
        [
            sys.executable,
            "-W",
            "ignore",
            "-m",
            "moto.server",
            "-H",
            LOOPBACK,
            "-p",
            str(port),
        ],
        account=None,
        log=folder / "moto.log",
    )
    server.start({"PATH": os.environ["PATH"], "HOME": str(folder)} | CREDENTIALS)
    try:
        wait_until(lambda: can_connect(port), 60, server.log_tail)
        yield ObjectStore(port)
    finally:
        server.stop(signal.SIGKILL, 5)
