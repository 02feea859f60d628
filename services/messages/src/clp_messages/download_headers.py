"""Headers of a download: RFC 6266 disposition, media type, and byte ranges."""

import re
import unicodedata
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final
from urllib.parse import quote

from clp_contracts.errors import Refused
from clp_core.file_names import extension_of

# By the stored extension; never what a client sends.
MEDIA_TYPES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "bmp": "image/bmp",
        "csv": "text/csv",
        "eps": "application/postscript",
        "gif": "image/gif",
        "heif": "image/heif",
        "jpeg": "image/jpeg",
        "jpg": "image/jpeg",
        "mov": "video/quicktime",
        "mxl": "application/vnd.recordare.musicxml",
        "pdf": "application/pdf",
        "png": "image/png",
        "psd": "image/vnd.adobe.photoshop",
        "wav": "audio/wav",
        "webp": "image/webp",
    }
)
OCTET_STREAM: Final = "application/octet-stream"

NOT_TOKEN: Final = re.compile(r"[^A-Za-z0-9 ._()\[\]{}+=,@~^!&-]")
ATTRIBUTE_CHARACTERS: Final = "!#$&+-.^_`|~"
ONE_RANGE: Final = re.compile(r"(?i:bytes)=[ ]*(\d{0,19})-(\d{0,19})[ ]*", re.ASCII)


def media_type_of(name: str) -> str:
    """Return the media type of a file name."""
    return MEDIA_TYPES.get(extension_of(name), OCTET_STREAM)


def content_disposition(name: str) -> str:
    """Format a Content-Disposition that saves a file under its name (RFC 6266).

    >>> print(disposition_of('"A".pdf'))
    attachment; filename="_A_.pdf"; filename*=UTF-8''%22A%22.pdf
    """
    plain = NOT_TOKEN.sub("_", unicodedata.normalize("NFKD", name))
    exact = quote(name, safe=ATTRIBUTE_CHARACTERS)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{exact}"


def requested_range(header: str | None, size: int) -> range | None:
    """Parse a ``Range`` header (RFC 9110, 14.2); None stands for the whole file.

    One range is served; several, or a malformed header, give the whole file, which RFC
    9110 allows.

    Raises:
        Refused: ``range.outside``, if the file has no byte of it.
    """
    match = ONE_RANGE.fullmatch(header or "")
    if match is None or match[1] + match[2] == "":
        return None
    if match[1] == "":
        requested = range(max(0, size - int(match[2])), size)
    else:
        last = int(match[2]) if match[2] else size - 1
        if last < int(match[1]):
            if match[2]:
                return None
            raise Refused.because("range.outside", size=size)
        requested = range(int(match[1]), min(last + 1, size))
    if not requested:
        raise Refused.because("range.outside", size=size)
    return requested
