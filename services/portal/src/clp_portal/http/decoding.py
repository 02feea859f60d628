"""Turn a werkzeug request into a `Request` of the portal, within bounds."""

import io
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, quote

from typing_extensions import override
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request as WerkzeugRequest

from clp_chassis.http import BodyFile, declared_length, iter_chunks
from clp_contracts.errors import Refused
from clp_portal.web import Body, Fields, Request, UploadedFile

MAX_FIELDS: Final = 200
MAX_FORM_BYTES: Final = 1024 * 1024
# Ten attachments of 10 MiB with the text, and what multipart adds.
MAX_UPLOAD_BYTES: Final = 105 * 1024 * 1024
MAX_JSON_BYTES: Final = 1024 * 1024
CHUNK_BYTES: Final = 64 * 1024
HEADERS: Final = (
    "Accept",
    "Accept-Language",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "If-Range",
    "Last-Event-ID",
    "Range",
    "Referer",
)


def decode(
    request: WerkzeugRequest,
    path_values: Mapping[str, Any],
    body: Body,
    *,
    keeps_files: bool = True,
) -> Request:
    """Read a request as far as its route needs it, and the files of a form if asked to.

    Raises:
        Refused: ``request.malformed``, ``request.too_large`` or
            ``request.wrong_media_type``.
    """
    form, files = (
        _form(request, keeps_files=keeps_files) if body is Body.FORM else (Fields(), ())
    )
    return Request(
        method=request.method,
        path=request.path,
        address=address_of(request),
        path_values=dict(path_values),
        query=_query(request),
        form=form,
        files=files,
        json=_json(request) if body is Body.JSON else None,
        headers={
            name: request.headers[name] for name in HEADERS if name in request.headers
        },
        chunks=lambda: iter_chunks(request, CHUNK_BYTES),
        length=declared_length(request) if body is Body.STREAM else None,
    )


def address_of(request: WerkzeugRequest) -> str:
    """Return path and query as a browser sent them."""
    query = request.query_string.decode("ascii", "replace")
    return f"{quote(request.path)}{'?' if query else ''}{query}"


def _query(request: WerkzeugRequest) -> Fields:
    given = request.environ.get("QUERY_STRING", "").encode("latin-1")
    try:
        pairs = parse_qsl(
            given.decode("utf-8", "replace"),
            keep_blank_values=True,
            max_num_fields=MAX_FIELDS,
        )
    except ValueError:
        raise Refused("request.malformed") from None
    return Fields(tuple(pairs))


def has_files(request: WerkzeugRequest) -> bool:
    """Whether the form of a request may hold files."""
    return request.mimetype == "multipart/form-data"


class _Dropped(io.RawIOBase):
    """A file of which nothing is kept."""

    @override
    def write(self, data: Any) -> int:
        return len(data)

    @override
    def seek(self, *_: int) -> int:
        return 0


def _dropped(*_: object, **__: object) -> Any:
    return _Dropped()


def _form(
    request: WerkzeugRequest, *, keeps_files: bool
) -> tuple[Fields, tuple[UploadedFile, ...]]:
    limit = MAX_UPLOAD_BYTES if has_files(request) else MAX_FORM_BYTES
    if (declared_length(request) or 0) > limit:
        raise Refused.because("request.too_large", max_bytes=limit)
    request.max_content_length = limit
    request.max_form_memory_size = MAX_FORM_BYTES
    request.max_form_parts = MAX_FIELDS
    request.environ["wsgi.input"] = (
        BodyFile(request) if has_files(request) else io.BytesIO(_plain_form(request))
    )
    if not keeps_files:
        request._get_file_stream = _dropped  # type: ignore[method-assign] # noqa: SLF001 - werkzeug's hook
    try:
        pairs = tuple((name, value) for name, value in request.form.items(multi=True))
        files = tuple(
            _file(file) for _, file in request.files.items(multi=True) if file.filename
        )
    except HTTPException as error:
        if error.code == 413:  # noqa: PLR2004 - Content Too Large
            raise Refused.because("request.too_large", max_bytes=limit) from None
        raise Refused("request.malformed") from None
    return Fields(pairs), files


def _plain_form(request: WerkzeugRequest) -> bytes:
    """Read a form without files; werkzeug has no limit to how many fields it holds."""
    body = _limited(request, MAX_FORM_BYTES)
    if body.count(b"&") >= MAX_FIELDS:
        raise Refused("request.malformed")
    return body


def _file(file: FileStorage) -> UploadedFile:
    stream = file.stream
    size = stream.seek(0, 2)
    stream.seek(0)

    def chunks() -> Iterator[bytes]:
        stream.seek(0)
        while chunk := stream.read(CHUNK_BYTES):
            yield chunk

    return UploadedFile(name=file.filename or "", size=size, chunks=chunks)


def _json(request: WerkzeugRequest) -> Any:
    """Read a JSON body; its media type is one that no foreign form can send."""
    if request.mimetype != "application/json":
        raise Refused("request.wrong_media_type")
    if (declared_length(request) or 0) > MAX_JSON_BYTES:
        raise Refused.because("request.too_large", max_bytes=MAX_JSON_BYTES)
    return _parsed(_limited(request, MAX_JSON_BYTES))


def _limited(request: WerkzeugRequest, limit: int) -> bytes:
    body = bytearray()
    for chunk in iter_chunks(request, CHUNK_BYTES):
        body += chunk
        if len(body) > limit:
            raise Refused.because("request.too_large", max_bytes=limit)
    return bytes(body)


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise Refused("request.malformed") from None
