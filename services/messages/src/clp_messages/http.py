"""Attachments over HTTP: parse requests, build responses."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final
from urllib.parse import parse_qsl

from werkzeug.wrappers import Request, Response

from clp_chassis.http import declared_length, error_response, iter_chunks
from clp_chassis.security.passports import Passport
from clp_contracts.errors import Refused
from clp_messages.dependencies import Dependencies
from clp_messages.download_headers import (
    content_disposition,
    media_type_of,
    requested_range,
)
from clp_messages.use_cases.uploads import (
    DownloadCheck,
    GuardedChunks,
    StoredFile,
    Upload,
    receive_upload,
)

STATUSES: Final[Mapping[str, int]] = MappingProxyType(
    {
        "broadcast.internal_only": 403,
        "attachment.pending": 409,
        "attachment.quota_spent": 429,
        "attachment.partner_quota_spent": 409,
        "attachment.too_large": 413,
        "attachment.type_refused": 415,
        "attachment.content_mismatch": 415,
        "range.outside": 416,
    }
)
MAX_ARGUMENTS: Final = 10


def upload(request: Request, actor: Passport, deps: Dependencies) -> StoredFile:
    """Receive the body of a request."""
    arguments = arguments_of(request, ("channel", "name"))
    return receive_upload(
        Upload(
            channel=arguments["channel"],
            name=arguments["name"],
            declared=declared_length(request),
            chunks=iter_chunks(request),
        ),
        actor=actor,
        deps=deps,
    )


def download(
    request: Request, attachment: str, *, actor: Passport, deps: Dependencies
) -> Response:
    """Respond with a file, or one range of it (RFC 9110, section 14)."""
    check = DownloadCheck(attachment, actor=actor, deps=deps)
    file = check.check()
    headers = {
        "Content-Type": media_type_of(file.name),
        "Content-Disposition": content_disposition(file.name),
        "Accept-Ranges": "bytes",
    }
    try:
        part = _range_of(request, file)
    except Refused as refused:
        response = error_response(refused, STATUSES)
        response.headers["Content-Range"] = f"bytes */{file.size}"
        return response
    selected = range(file.size) if part is None else part
    headers["Content-Length"] = str(len(selected))
    if part is not None:
        headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{file.size}"
    status = 200 if part is None else 206
    if request.method == "HEAD":
        return Response(None, status, headers)
    chunks = deps.files.chunks(file.store_key, selected.start, len(selected))
    return Response(
        GuardedChunks(chunks, check), status, headers, direct_passthrough=True
    )


def _range_of(request: Request, file: StoredFile) -> range | None:
    """Return the requested range; None with a validator, as no ETag is sent."""
    if request.method != "GET" or "If-Range" in request.headers:
        return None
    return requested_range(request.headers.get("Range"), file.size)


def arguments_of(request: Request, names: Iterable[str]) -> Mapping[str, str]:
    """Parse the query string: exactly these arguments, each once.

    Bytes that are not UTF-8 become lone surrogates, which every rule refuses.

    Raises:
        Refused: ``request.malformed``, with every wrong, missing or unknown argument.
    """
    wanted = list(names)
    query = request.environ.get("QUERY_STRING", "").encode("latin-1")
    try:
        pairs = parse_qsl(
            query.decode("utf-8", "surrogateescape"),
            keep_blank_values=True,
            errors="surrogateescape",
            max_num_fields=MAX_ARGUMENTS,
        )
    except ValueError:
        limit = {"query": [f"Longer than {MAX_ARGUMENTS} arguments."]}
        raise Refused.because("request.malformed", fields=limit) from None
    if wrong := _wrong_arguments([name for name, _ in pairs], wanted):
        raise Refused.because("request.malformed", fields=wrong)
    return dict(pairs)


def _wrong_arguments(given: list[str], wanted: list[str]) -> dict[str, list[str]]:
    """Name the arguments at fault, in the words of the refusal of a call."""
    missing = {
        n: ["Missing data for required field."] for n in wanted if n not in given
    }
    repeated = {n: ["Given more than once."] for n in wanted if given.count(n) > 1}
    unknown = {n: ["Unknown field."] for n in given if n not in wanted}
    return missing | repeated | unknown
