"""Attachments over HTTP, as a person."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

from clp_contracts.errors import Refused


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Files:
    """Uploads and downloads with a person's passport."""

    def __init__(self, url: str, passport: Callable[[], str]) -> None:
        self._url = url
        self._passport = passport

    def upload(self, *, channel: str, name: str, body: bytes) -> str:
        """Upload a file for a channel; gives the attachment id to post with.

        Raises:
            Refused: with the service's code.
        """
        path = f"/attachments?channel={quote(channel, safe='')}&name={quote(name)}"
        answer = self.ask("POST", path, body)
        told = json.loads(answer.body)
        if answer.status >= HTTPStatus.BAD_REQUEST:
            raise Refused.because(told["code"], **told.get("detail", {}))
        return str(told["id"])

    def download(self, attachment: str) -> Answer:
        """Ask for an attachment; whatever the answer is."""
        return self.ask("GET", f"/attachments/{quote(attachment, safe='')}")

    def ask(self, verb: str, path: str, body: bytes | None = None) -> Answer:
        """Ask anything of the HTTP service."""
        headers = {"Authorization": f"Bearer {self._passport()}"}
        if body is not None:
            headers["Content-Type"] = "application/octet-stream"
        request = Request(  # noqa: S310
            self._url + path, data=body, headers=headers, method=verb
        )
        try:
            with urlopen(request, timeout=30) as reply:  # noqa: S310
                return Answer(reply.status, dict(reply.headers), reply.read())
        except HTTPError as error:
            with error:
                return Answer(error.code, dict(error.headers), error.read())
