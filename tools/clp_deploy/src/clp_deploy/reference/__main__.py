"""``python -m clp_deploy.reference``: write `docs/reference/` again from the code."""

from clp_chassis.concurrency import monkey_patch  # isort: skip  # noqa: F401 - first: it patches the process

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from clp_deploy.readme_tables import with_tables
from clp_deploy.reference.calls import calls_page
from clp_deploy.reference.events import asyncapi_text, events_page
from clp_deploy.reference.metrics import metrics_page
from clp_deploy.reference.pages import (
    attachments_page,
    errors_page,
    search_page,
    settings_page,
)
from clp_deploy.reference.schemas import schemas_text

ROOT: Final = Path(__file__).resolve().parents[5]
FOLDER: Final = ROOT / "docs" / "reference"
CALLER: Final = ROOT / "tests" / "contracts" / "node" / "caller.mjs"


def _tutorial() -> str:
    """The tutorial, with the caller in JavaScript that passes the vectors."""
    caller = CALLER.read_text(encoding="utf-8").strip()
    page = (FOLDER.parent / "tutorial.md").read_text(encoding="utf-8")
    return with_tables(page, {"caller": f"\n```js\n{caller}\n```\n"})


# Every generated file of the reference, with what tells its text.
PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "calls.md": calls_page,
    "events.md": events_page,
    "errors.md": errors_page,
    "settings.md": settings_page,
    "metrics.md": metrics_page,
    "search.md": search_page,
    "attachments.md": attachments_page,
    "asyncapi.json": asyncapi_text,
    "schemas.json": schemas_text,
    "../tutorial.md": _tutorial,
}


def main() -> None:
    """Write `docs/reference/`, and the caller in the tutorial, from the code."""
    argparse.ArgumentParser(
        prog="python -m clp_deploy.reference", description=main.__doc__
    ).parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text_of in PAGES.items():
        (FOLDER / name).write_text(text_of(), encoding="utf-8")
        print(f"written: docs/reference/{name}")


if __name__ == "__main__":
    main()
