"""``python -m clp_deploy.shared_locales``: write shared sentences into each catalog.

``tools/locales`` is the one source of what the portal and the mails both say. Each
service ships its own catalog, into which the shared translations are copied.
"""

import argparse
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[4]
SHARED: Final = ROOT / "tools" / "locales"
CATALOGS: Final = (
    ROOT / "services/portal/src/clp_portal/locales",
    ROOT / "services/notifications/src/clp_notifications/mail/catalogs",
)
ENTRY: Final = re.compile(r'^msgid (".+")\nmsgstr (".*")$', re.MULTILINE)


def languages() -> tuple[str, ...]:
    """Return the languages of the shared sentences."""
    return tuple(sorted(path.stem for path in SHARED.glob("*.po")))


def entries(catalog: Path) -> dict[str, str]:
    """Return the sentences of a catalog without a plural, as they are quoted."""
    return dict(ENTRY.findall(catalog.read_text()))


def catalogs(language: str) -> Iterator[Path]:
    """Yield the catalogs of the services in a language."""
    for folder in CATALOGS:
        yield folder / f"{language}.po"


def with_shared(text: str, shared: Mapping[str, str]) -> str:
    """Return the text of a catalog with the shared translations in it."""

    def replaced(entry: re.Match[str]) -> str:
        return f"msgid {entry[1]}\nmsgstr {shared.get(entry[1], entry[2])}"

    return ENTRY.sub(replaced, text)


def main() -> None:
    """Write what portal and mails both say into the catalogs of both."""
    _ = argparse.ArgumentParser(
        prog="python -m clp_deploy.shared_locales", description=main.__doc__
    ).parse_args()
    for language in languages():
        shared = entries(SHARED / f"{language}.po")
        for path in catalogs(language):
            _ = path.write_text(with_shared(path.read_text(), shared))
            _ = sys.stdout.write(f"written: {path.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
