"""A browser without scripts: cookies, forms and redirects over real HTTP."""

import http.client
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from typing_extensions import override


@dataclass(frozen=True)
class Response:
    """What came back, with the address that it came from."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def words(self) -> str:
        """The text of a page as somebody reads it."""
        return words_of(self.text)


@dataclass
class Browser:
    """One person's browser."""

    url: str
    cookies: dict[str, str] = field(default_factory=dict)
    language: str = "en"

    def send(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """Send one request and follow nothing."""
        parts = urlsplit(urljoin(self.url, path))
        connection = http.client.HTTPConnection(parts.netloc, timeout=30)
        address = parts.path + (f"?{parts.query}" if parts.query else "")
        sent = {"Accept-Language": self.language, **(headers or {})}
        if self.cookies:
            pairs = (f"{name}={value}" for name, value in self.cookies.items())
            sent["Cookie"] = "; ".join(pairs)
        connection.request(method, address, body=body, headers=sent)
        response = connection.getresponse()
        received = Response(
            response.status, dict(response.getheaders()), response.read(), path
        )
        self._keep(response.msg.get_all("Set-Cookie") or ())
        connection.close()
        return received

    def get(self, path: str, **headers: str) -> Response:
        """Open an address, and follow redirects."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        response = self.send("GET", path, headers=named)
        return self._followed(response)

    def post(self, path: str, **fields: str) -> Response:
        """Send a form, and follow redirects."""
        return self._followed(self.submit(path, fields.items()))

    def submit(self, path: str, fields: Iterable[tuple[str, str]]) -> Response:
        """Send a form as a page of the portal does, and follow nothing."""
        return self.send(
            "POST",
            path,
            body=urlencode(list(fields)).encode(),
            headers={
                "Content-Type": "application/x-www-form-urlencoded",
                "Sec-Fetch-Site": "same-origin",
            },
        )

    def submit_by_script(self, path: str, **fields: str) -> Response:
        """Send a form as the scripts of the portal do, which get JSON."""
        return self.send(
            "POST",
            path,
            body=urlencode(fields).encode(),
            headers={
                "Accept": "application/json",
                "Content-Type": "application/x-www-form-urlencoded",
                "Sec-Fetch-Site": "same-origin",
            },
        )

    def upload(
        self, path: str, fields: Mapping[str, str], files: Mapping[str, bytes]
    ) -> Response:
        """Send a form with files, and follow redirects."""
        boundary = "clp-boundary"
        parts = [
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"'
            f"\r\n\r\n{value}\r\n".encode()
            for name, value in fields.items()
        ]
        parts += [
            f'--{boundary}\r\nContent-Disposition: form-data; name="files"; '
            f'filename="{name}"\r\nContent-Type: application/octet-stream'
            "\r\n\r\n".encode()
            + content
            + b"\r\n"
            for name, content in files.items()
        ]
        response = self.send(
            "POST",
            path,
            body=b"".join(parts) + f"--{boundary}--\r\n".encode(),
            headers={
                "Content-Type": f"multipart/form-data; boundary={boundary}",
                "Sec-Fetch-Site": "same-origin",
            },
        )
        return self._followed(response)

    def call(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> Response:
        """Call the JSON API."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {"Accept": "application/json", "Sec-Fetch-Site": "same-origin", **named}
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
        data = None if body is None else json.dumps(body).encode()
        return self.send(method, path, body=data, headers=sent)

    def _followed(self, response: Response) -> Response:
        for _ in range(5):
            if response.status != 303:
                return response
            location = response.headers["Location"].partition("#")[0]
            response = self.send("GET", location)
        raise AssertionError("redirects without an end")

    def _keep(self, cookies: Iterable[str]) -> None:
        for cookie in cookies:
            pair, _, attributes = cookie.partition(";")
            name, _, value = pair.partition("=")
            if "Max-Age=0" in attributes or not value:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []

    @override
    def handle_data(self, data: str) -> None:
        self.words.append(data)


def words_of(html: str) -> str:
    """Return the text of a page, with single spaces."""
    parser = _Words()
    parser.feed(html)
    return re.sub(r"\s+", " ", " ".join(parser.words)).strip()


def field_of(page: Response, name: str) -> str:
    """Return the value of a hidden field of a page."""
    match = re.search(rf'<input[^>]*name="{name}"[^>]*value="([^"]*)"', page.text)
    assert match is not None, f"no field {name}"
    return match[1]
