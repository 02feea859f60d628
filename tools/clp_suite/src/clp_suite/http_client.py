"""HTTP client of the attachment API, with a person's passport."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

from clp_contracts.errors import Refused


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """An HTTP response with its whole body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class FilesClient:
    """Upload and download attachments as one person."""

    def __init__(self, url: str, passport: Callable[[], str]) -> None:
        self._url = url
        self._passport = passport

    def upload(self, *, channel: str, name: str, body: bytes) -> str:
        """Upload a file to a channel and return its attachment id.

        Raises:
            Refused: with the error code of the service.
        """
        path = f"/attachments?channel={quote(channel, safe='')}&name={quote(name)}"
        response = self.request("POST", path, body)
        content = json.loads(response.body)
        if response.status >= HTTPStatus.BAD_REQUEST:
            raise Refused.because(content["code"], **content.get("detail", {}))
        return str(content["id"])

    def download(self, attachment: str) -> HttpResponse:
        """Request an attachment and return the response, whatever its status."""
        return self.request("GET", f"/attachments/{quote(attachment, safe='')}")

    def request(self, verb: str, path: str, body: bytes | None = None) -> HttpResponse:
        """Send any request to the HTTP service."""
        headers = {"Authorization": f"Bearer {self._passport()}"}
        if body is not None:
            headers["Content-Type"] = "application/octet-stream"
        request = Request(  # noqa: S310
            self._url + path, data=body, headers=headers, method=verb
        )
        try:
            with urlopen(request, timeout=30) as reply:  # noqa: S310
                return HttpResponse(reply.status, dict(reply.headers), reply.read())
        except HTTPError as error:
            with error:
                return HttpResponse(error.code, dict(error.headers), error.read())
