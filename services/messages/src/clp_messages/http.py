"""Attachments over HTTP: asks read from requests, files turned into answers."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final
from urllib.parse import parse_qsl

from werkzeug.wrappers import Request, Response

from clp_chassis.http import chunks_of, declared_length, refusal_answer
from clp_chassis.security.passports import Passport
from clp_contracts.errors import Refused
from clp_messages.dependencies import Parts
from clp_messages.download_headers import asked_range, disposition_of, media_type_of
from clp_messages.use_cases.uploads import (
    StoredFile,
    Upload,
    find_download,
    receive_upload,
)

STATUSES: Final[Mapping[str, int]] = MappingProxyType(
    {
        "broadcast.internal_only": 403,
        "attachment.pending": 409,
        "attachment.quota_spent": 429,
        "attachment.too_large": 413,
        "attachment.type_refused": 415,
        "attachment.content_mismatch": 415,
        "range.outside": 416,
    }
)
MOST_ARGUMENTS: Final = 10


def upload(request: Request, actor: Passport, parts: Parts) -> StoredFile:
    """Take in the body of a request."""
    asked = arguments_of(request, ("channel", "name"))
    return receive_upload(
        Upload(
            channel=asked["channel"],
            name=asked["name"],
            declared=declared_length(request),
            pieces=chunks_of(request),
        ),
        actor=actor,
        parts=parts,
    )


def download(
    request: Request, attachment: str, given: tuple[Passport, Parts]
) -> Response:
    """Hand out a file, or one range of it."""
    actor, parts = given
    file = find_download(attachment, actor=actor, parts=parts)
    headers = {
        "Content-Type": media_type_of(file.name),
        "Content-Disposition": disposition_of(file.name),
        "Accept-Ranges": "bytes",
    }
    try:
        part = _part_of(request, file)
    except Refused as refused:
        answer = refusal_answer(refused, STATUSES)
        answer.headers["Content-Range"] = f"bytes */{file.size}"
        return answer
    numbers = range(file.size) if part is None else part
    headers["Content-Length"] = str(len(numbers))
    if part is not None:
        headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{file.size}"
    status = 200 if part is None else 206
    if request.method == "HEAD":
        return Response(None, status, headers)
    pieces = parts.files.pieces(file.store_key, numbers.start, len(numbers))
    return Response(pieces, status, headers, direct_passthrough=True)


def _part_of(request: Request, file: StoredFile) -> range | None:
    """The range asked for; none when it depends on a validator, as we give none."""
    if request.method != "GET" or "If-Range" in request.headers:
        return None
    return asked_range(request.headers.get("Range"), file.size)


def arguments_of(request: Request, names: Iterable[str]) -> Mapping[str, str]:
    """The arguments of the address: exactly these, each once.

    What is not UTF-8 arrives as lone surrogates, which no rule lets through.

    Raises:
        Refused: ``ask.malformed``.
    """
    given = request.environ.get("QUERY_STRING", "").encode("latin-1")
    try:
        pairs = parse_qsl(
            given.decode("utf-8", "surrogateescape"),
            keep_blank_values=True,
            errors="surrogateescape",
            max_num_fields=MOST_ARGUMENTS,
        )
    except ValueError:
        raise Refused("ask.malformed") from None
    if sorted(name for name, _ in pairs) != sorted(names):
        raise Refused("ask.malformed")
    return dict(pairs)
