"""How a file is handed out: always as a download, under a name nobody can misread."""

import re
import unicodedata
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final
from urllib.parse import quote

from clp_contracts.errors import Refused
from clp_core.attachments import extension_of

# By the extension that the rules let in; never what a client says.
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
BYTES: Final = "application/octet-stream"

NOT_PLAIN: Final = re.compile(r"[^A-Za-z0-9 ._()\[\]{}+=,@~^!&-]")
ATTRIBUTE_CHARACTERS: Final = "!#$&+-.^_`|~"
ONE_RANGE: Final = re.compile(r"bytes=[ ]*(\d{0,19})-(\d{0,19})[ ]*", re.ASCII)


def media_type_of(name: str) -> str:
    """The media type of a file name."""
    return MEDIA_TYPES.get(extension_of(name), BYTES)


def disposition_of(name: str) -> str:
    """The header that makes a browser save a file under its name (RFC 6266).

    >>> print(disposition_of('"A".pdf'))
    attachment; filename="_A_.pdf"; filename*=UTF-8''%22A%22.pdf
    """
    plain = NOT_PLAIN.sub("_", unicodedata.normalize("NFKD", name))
    exact = quote(name, safe=ATTRIBUTE_CHARACTERS)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{exact}"


def asked_range(header: str | None, size: int) -> range | None:
    """The bytes that a ``Range`` header asks for; None stands for the whole file.

    One range is served; several, or what is no range, are answered with the whole file,
    which HTTP allows and which costs no more than asking for it.

    Raises:
        Refused: ``range.outside``, when the file has no byte of it.
    """
    match = ONE_RANGE.fullmatch(header or "")
    if match is None or match[1] + match[2] == "":
        return None
    if match[1] == "":
        asked = range(max(0, size - int(match[2])), size)
    else:
        last = int(match[2]) if match[2] else size - 1
        if last < int(match[1]):
            if match[2]:
                return None
            raise Refused("range.outside")
        asked = range(int(match[1]), min(last + 1, size))
    if not asked:
        raise Refused("range.outside")
    return asked
