"""The sentences that the portal marks for translation, and its catalogs."""

from importlib.resources import files
from io import BytesIO
from typing import Any, Final

from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from clp_portal.script_texts import PLURALS

PACKAGE: Final = files("clp_portal")
KEYWORDS: Final[dict[str, Any]] = {
    "N_": None,
    "_": None,
    "gettext": None,
    "ngettext": (1, 2),
}
METHODS: Final = [
    ("**/templates/**", "jinja2.ext:babel_extract"),
    ("**.py", "python"),
]
OPTIONS: Final = {"**/templates/**": {"newstyle_gettext": "true", "trimmed": "true"}}

Sentence = str | tuple[str, ...]


def sentences() -> list[Sentence]:
    """Return every sentence of templates, code and scripts, in order of appearance."""
    found = extract_from_dir(str(PACKAGE), METHODS, OPTIONS, keywords=KEYWORDS)
    marked: dict[Sentence, None] = {}
    for _, _, message, _, _ in found:
        marked[message if isinstance(message, str) else tuple(message)] = None
    for pair in PLURALS.values():
        marked[pair] = None
    return list(marked)


def catalog(language: str) -> Any:
    """Return the parsed catalog of a language."""
    source = PACKAGE / "locales" / f"{language}.po"
    return read_po(BytesIO(source.read_bytes()), locale=language, abort_invalid=True)
