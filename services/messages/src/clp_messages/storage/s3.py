"""Files in a bucket of an S3-compatible store.

boto3 waits for its answers; in a patched process that lets everybody else go on. What
would hold them up, summing the bytes once more, it is told not to do.
"""

import base64
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from tempfile import SpooledTemporaryFile
from typing import Any, Final, Self
from urllib.parse import parse_qsl, urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from clp_contracts.errors import CallFailed
from clp_messages.storage.file_store import Arriving, FileGone, Pieces

OPTIONS: Final = frozenset({"endpoint", "region"})
IN_MEMORY: Final = 1024 * 1024
CONNECT_S: Final = 5
READ_S: Final = 20
TRIES: Final = 3
CONNECTIONS: Final = 64
ABSENT: Final = frozenset({"NoSuchKey", "404"})


class S3Store:
    """Objects of one bucket, below a prefix.

    A file waits in an unnamed file of this machine until it is whole, then goes up in
    one PUT: it is there or it is not, a try that fails can be repeated, and a process
    that is killed leaves nothing behind, here or there.
    """

    def __init__(self, client: Any, bucket: str, prefix: str = "") -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = prefix

    @classmethod
    def at(cls, url: str) -> Self:
        """The store of ``s3://BUCKET/PREFIX?endpoint=URL&region=NAME``.

        Credentials come from where boto3 looks for them: the environment, its files,
        or the machine's role.
        """
        parts = urlsplit(url)
        options = dict(parse_qsl(parts.query, keep_blank_values=True))
        if parts.scheme != "s3" or not parts.hostname or set(options) - OPTIONS:
            raise ValueError("must read s3://BUCKET/PREFIX?endpoint=URL&region=NAME")
        prefix = parts.path.strip("/")
        return cls(client_for(options), parts.netloc, f"{prefix}/" if prefix else "")

    @contextmanager
    def receiving(self, key: str) -> Iterator[Arriving]:
        """Take a file in pieces."""
        with SpooledTemporaryFile(IN_MEMORY) as file:
            arriving = Arriving(file.write)
            yield arriving
            size = file.tell()
            file.seek(0)
            digest = base64.b64encode(bytes.fromhex(arriving.sha256)).decode()
            # The store sums the bytes up as well, and refuses what came otherwise.
            self._ask(
                "put_object", key, Body=file, ContentLength=size, ChecksumSHA256=digest
            )

    def pieces(self, key: str, start: int, length: int) -> Pieces:
        """Part of a file."""
        asked = f"bytes={start}-{start + length - 1}"
        return Pieces(self._ask("get_object", key, Range=asked)["Body"], length)

    def remove(self, key: str) -> None:
        """Forget a file; forgetting it twice is harmless."""
        self._ask("delete_object", key)

    def _ask(self, what: str, key: str, **more: Any) -> Any:
        ask = getattr(self._client, what)
        try:
            return ask(Bucket=self._bucket, Key=f"{self._prefix}{key}", **more)
        except ClientError as error:
            code = str(error.response["Error"].get("Code"))
            if code in ABSENT:
                raise FileGone(key) from None
            raise CallFailed(f"the file store answered {code}") from error
        except BotoCoreError as error:
            raise CallFailed(f"the file store: {type(error).__name__}") from error


def client_for(options: Mapping[str, str]) -> Any:
    """A client for the options of an address."""
    endpoint = options.get("endpoint") or None
    return boto3.session.Session().client(
        "s3",
        endpoint_url=endpoint,
        region_name=options.get("region") or None,
        config=Config(
            connect_timeout=CONNECT_S,
            read_timeout=READ_S,
            retries={"mode": "standard", "max_attempts": TRIES},
            max_pool_connections=CONNECTIONS,
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            s3={
                # The sum is signed, and stands for the bytes.
                "payload_signing_enabled": False,
                # Only Amazon's own names resolve with the bucket in front of them.
                "addressing_style": "path" if endpoint else "auto",
            },
        ),
    )
