"""Static files under an address that holds the hash of all their content.

A new content has a new address, so a browser may keep a file for ever. One hash covers
all files: modules and style sheets import each other by relative addresses.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

from werkzeug.wrappers import Request, Response

from clp_contracts.errors import Refused
from clp_portal.script_texts import script_texts
from clp_portal.translation import languages

PREFIX: Final = "/-/static"
MEDIA_TYPES: Final = {
    "css": "text/css",
    "js": "text/javascript",
    "svg": "image/svg+xml",
}
# In the order of the cascade; a browser gets them as one file.
STYLE_SHEETS: Final = tuple(
    f"css/{name}.css"
    for name in (
        "tokens",
        "page",
        "forms",
        "cards",
        "channels",
        "timeline",
        "composer",
        "dialogs",
        "print",
    )
)
BUNDLE: Final = "css/portal.css"
HASH_LENGTH: Final = 16
YEAR_S: Final = 31_536_000


@dataclass(frozen=True, slots=True)
class StaticFiles:
    """Every static file, by its path, and the hash of them all."""

    contents: Mapping[str, bytes]
    version: str

    @classmethod
    def load(cls) -> "StaticFiles":
        """Read the files of the package, and the texts of scripts per language."""
        contents = dict(_files_in(files("clp_portal") / "static", ""))
        contents[BUNDLE] = b"\n".join(contents.pop(path) for path in STYLE_SHEETS)
        for language in languages():
            text = json.dumps(script_texts(language), ensure_ascii=False, indent=1)
            module = f"export default {text}\n"
            contents[f"js/texts/{language}.js"] = module.encode()
        digest = hashlib.sha256()
        for path in sorted(contents):
            for part in (path.encode(), contents[path]):
                digest.update(len(part).to_bytes(8, "big") + part)
        return cls(contents, digest.hexdigest()[:HASH_LENGTH])

    def address(self, path: str) -> str:
        """Return the address of a file.

        Raises:
            KeyError: if there is no such file.
        """
        if path not in self.contents:
            raise KeyError(path)
        return f"{PREFIX}/{self.version}/{path}"

    def response(self, request: Request, *, version: str, path: str) -> Response:
        """Serve a file; of another version the current one, not to be kept.

        Raises:
            Refused: ``path.missing``.
        """
        content = self.contents.get(path)
        if content is None:
            raise Refused("path.missing")
        kept = f"public, max-age={YEAR_S}, immutable"
        response = Response(
            content,
            mimetype=MEDIA_TYPES[path.rpartition(".")[2]],
            headers={
                "Cache-Control": kept if version == self.version else "no-cache",
                "X-Content-Type-Options": "nosniff",
                "Cross-Origin-Resource-Policy": "same-origin",
                "Content-Security-Policy": "default-src 'none'",
            },
        )
        response.set_etag(hashlib.sha256(content).hexdigest()[:HASH_LENGTH])
        response.make_conditional(request)
        return response


def _files_in(folder: Traversable, prefix: str) -> Iterator[tuple[str, bytes]]:
    for item in folder.iterdir():
        path = f"{prefix}{item.name}"
        if item.is_dir():
            yield from _files_in(item, f"{path}/")
        elif item.name.rpartition(".")[2] in MEDIA_TYPES:
            yield path, item.read_bytes()
