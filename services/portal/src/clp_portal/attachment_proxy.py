"""Uploads and downloads, passed on between the browser and `messages` in chunks."""

import http.client
import json
import select
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self
from urllib.parse import quote, urlsplit

from clp_contracts.errors import CallFailed, Refused

CHUNK_BYTES: Final = 64 * 1024
TIMEOUT_S: Final = 60.0
MAX_RESPONSE_BYTES: Final = 64 * 1024
DOWNLOAD_HEADERS: Final = (
    "Accept-Ranges",
    "Content-Disposition",
    "Content-Length",
    "Content-Range",
    "Content-Type",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file on its way: for a channel, under a name."""

    channel: str
    name: str
    size: int | None
    chunks: Iterator[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadedAttachment:
    """A stored file that a post can name."""

    id: str
    name: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """A file, or a part of one, with the headers that go with it."""

    chunks: Iterator[bytes]
    status: int
    headers: Mapping[str, str]


class AttachmentProxy:
    """The HTTP side of `messages`, as a person."""

    def __init__(self, messages_url: str, passport: Callable[[str], str]) -> None:
        self._address = urlsplit(messages_url)
        self._passport = passport

    def upload(self, person: str, upload: Upload) -> UploadedAttachment:
        """Pass a file on; a response that comes early ends the reading.

        Raises:
            Refused: with the code of `messages`.
            CallFailed: if `messages` cannot be reached.
        """
        path = (
            f"/attachments?channel={quote(upload.channel, safe='')}"
            f"&name={quote(upload.name, safe='')}"
        )
        with _Connection(self._address.netloc) as connection:
            headers = self._headers(person)
            if upload.size is None:
                headers["Transfer-Encoding"] = "chunked"
            else:
                headers["Content-Length"] = str(upload.size)
            response = connection.send(path, headers, upload)
            values = _json_of(response)
        return UploadedAttachment(
            id=values["id"], name=values["name"], size=values["size"]
        )

    def download(
        self, person: str, attachment: str, *, byte_range: str | None
    ) -> Download:
        """Open a file for a reader.

        Raises:
            Refused: with the code of `messages`.
            CallFailed: if `messages` cannot be reached.
        """
        headers = self._headers(person)
        if byte_range is not None:
            headers["Range"] = byte_range
        connection = _Connection(self._address.netloc)
        try:
            response = connection.get(
                f"/attachments/{quote(attachment, safe='')}", headers
            )
            if response.status not in {200, 206}:
                _json_of(response)
        except BaseException:
            connection.close()
            raise
        kept = {
            name: value
            for name in DOWNLOAD_HEADERS
            if (value := response.getheader(name)) is not None
        }
        return Download(
            chunks=_chunks_of(response, connection),
            status=response.status,
            headers={
                **kept,
                "Content-Security-Policy": "default-src 'none'; sandbox",
                "Cache-Control": "private, no-store",
            },
        )

    def _headers(self, person: str) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {self._passport(person)}",
            "Content-Type": "application/octet-stream",
        }


class _Connection:
    """One connection to `messages` whose failures are `CallFailed`."""

    def __init__(self, netloc: str) -> None:
        self._connection = http.client.HTTPConnection(netloc, timeout=TIMEOUT_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()

    def get(self, path: str, headers: dict[str, str]) -> http.client.HTTPResponse:
        """Send a GET and return the response, its body unread."""
        try:
            self._connection.request("GET", path, headers=headers)
            return self._connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            raise CallFailed(f"messages: {type(error).__name__}") from error

    def send(
        self, path: str, headers: dict[str, str], upload: Upload
    ) -> http.client.HTTPResponse:
        """Send a POST in chunks until it is whole or answered."""
        try:
            self._connection.putrequest("POST", path)
            for name, value in headers.items():
                self._connection.putheader(name, value)
            self._connection.endheaders()
        except (OSError, http.client.HTTPException) as error:
            raise CallFailed(f"messages: {type(error).__name__}") from error
        self._send_body(upload)
        try:
            return self._connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            raise CallFailed(f"messages: {type(error).__name__}") from error

    def _send_body(self, upload: Upload) -> None:
        chunked = upload.size is None
        # What the browser's side raises is no fault of `messages`.
        for chunk in upload.chunks:
            framed = b"%x\r\n%b\r\n" % (len(chunk), chunk) if chunked else chunk
            if not self._try_send(framed) or self._is_answered():
                return
        if chunked:
            self._try_send(b"0\r\n\r\n")

    def _try_send(self, data: bytes) -> bool:
        try:
            self._connection.send(data)
        except OSError:
            # Answered and closed; the response may still be there to read.
            return False
        return True

    def _is_answered(self) -> bool:
        readable, _, _ = select.select([self._connection.sock], [], [], 0)
        return bool(readable)


def _json_of(response: http.client.HTTPResponse) -> dict[str, Any]:
    try:
        values: dict[str, Any] = json.loads(response.read(MAX_RESPONSE_BYTES))
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise CallFailed(f"messages: {type(error).__name__}") from error
    if response.status >= http.client.BAD_REQUEST:
        detail = dict(values.get("detail") or {})
        if "incident" in values:
            detail["incident"] = values["incident"]
        raise Refused.because(str(values.get("code", "service.failed")), **detail)
    return values


def _chunks_of(
    response: http.client.HTTPResponse, connection: _Connection
) -> Iterator[bytes]:
    try:
        while chunk := response.read(CHUNK_BYTES):
            yield chunk
    finally:
        connection.close()
