"""A file store in a bucket of an S3-compatible service.

boto3 uses blocking sockets, which yield in a monkey-patched process. Hashing the bytes
again would not yield, so boto3's own checksums are off.
"""

import base64
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from tempfile import SpooledTemporaryFile
from typing import Any, Final, Self
from urllib.parse import parse_qsl, urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from clp_contracts.errors import CallFailed
from clp_messages.storage.file_store import Chunks, FileMissing, UploadStream

OPTIONS: Final = frozenset({"endpoint", "region"})
SPOOL_BYTES: Final = 1024 * 1024
CONNECT_TIMEOUT_S: Final = 5
READ_TIMEOUT_S: Final = 20
MAX_ATTEMPTS: Final = 3
MAX_CONNECTIONS: Final = 64
MISSING_CODES: Final = frozenset({"NoSuchKey", "404"})


class S3FileStore:
    """Objects of one bucket, below a prefix.

    A file is spooled to an unnamed local file, then uploaded in one PUT: it is stored
    completely or not at all, a failed attempt can be repeated, and a killed process
    leaves nothing behind on either end.
    """

    def __init__(self, client: Any, bucket: str, prefix: str = "") -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = prefix

    @classmethod
    def at(cls, url: str) -> Self:
        """Open the store of ``s3://BUCKET/PREFIX?endpoint=URL&region=NAME``.

        boto3 looks up credentials in the environment, its files, or the machine's role.

        Raises:
            ValueError: if the address has another form.
        """
        address = urlsplit(url)
        options = dict(parse_qsl(address.query, keep_blank_values=True))
        if address.scheme != "s3" or not address.hostname or set(options) - OPTIONS:
            raise ValueError("must read s3://BUCKET/PREFIX?endpoint=URL&region=NAME")
        prefix = address.path.strip("/")
        return cls(client_for(options), address.netloc, f"{prefix}/" if prefix else "")

    @contextmanager
    def receiving(self, key: str) -> Iterator[UploadStream]:
        """Receive a file in chunks."""
        with SpooledTemporaryFile(SPOOL_BYTES) as file:
            stream = UploadStream(file.write)
            yield stream
            size = file.tell()
            file.seek(0)
            digest = base64.b64encode(bytes.fromhex(stream.sha256)).decode()
            # The store hashes the bytes as well and refuses a mismatch.
            self._call(
                "put_object", key, Body=file, ContentLength=size, ChecksumSHA256=digest
            )

    def chunks(self, key: str, start: int, length: int) -> Chunks:
        """Read part of a file."""
        byte_range = f"bytes={start}-{start + length - 1}"
        return Chunks(self._call("get_object", key, Range=byte_range)["Body"], length)

    def ping(self) -> None:
        """Raise when the bucket cannot be reached with these credentials."""
        with suppress(FileMissing):
            self._call("get_object", "ping")

    def remove(self, key: str) -> None:
        """Remove a file."""
        self._call("delete_object", key)

    def _call(self, operation: str, key: str, **options: Any) -> Any:
        call = getattr(self._client, operation)
        try:
            return call(Bucket=self._bucket, Key=f"{self._prefix}{key}", **options)
        except ClientError as error:
            code = str(error.response["Error"].get("Code"))
            if code in MISSING_CODES:
                raise FileMissing(key) from None
            raise CallFailed(f"the file store responded {code}") from error
        except BotoCoreError as error:
            raise CallFailed(f"the file store: {type(error).__name__}") from error


def client_for(options: Mapping[str, str]) -> Any:
    """Create a client for the options of an address."""
    endpoint = options.get("endpoint") or None
    return boto3.session.Session().client(
        "s3",
        endpoint_url=endpoint,
        region_name=options.get("region") or None,
        config=Config(
            connect_timeout=CONNECT_TIMEOUT_S,
            read_timeout=READ_TIMEOUT_S,
            retries={"mode": "standard", "max_attempts": MAX_ATTEMPTS},
            max_pool_connections=MAX_CONNECTIONS,
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            s3={
                # The checksum header is signed and stands for the body.
                "payload_signing_enabled": False,
                # Virtual-hosted addresses only resolve at Amazon itself.
                "addressing_style": "path" if endpoint else "auto",
            },
        ),
    )
