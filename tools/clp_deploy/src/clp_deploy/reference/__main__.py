"""``python -m clp_deploy.reference``: write `docs/reference/` again from the code."""

from clp_chassis.concurrency import monkey_patch  # isort: skip  # noqa: F401 - first: it patches the process

from pathlib import Path
from typing import Final

from clp_deploy.reference.calls import calls_page
from clp_deploy.reference.events import asyncapi_text, events_page
from clp_deploy.reference.pages import (
    attachments_page,
    errors_page,
    metrics_page,
    search_page,
    settings_page,
)
from clp_deploy.reference.schemas import schemas_text

FOLDER: Final = Path(__file__).resolve().parents[5] / "docs" / "reference"


def reference() -> dict[str, str]:
    """The text of every generated file of the reference, by its name."""
    return {
        "calls.md": calls_page(),
        "events.md": events_page(),
        "errors.md": errors_page(),
        "settings.md": settings_page(),
        "metrics.md": metrics_page(),
        "search.md": search_page(),
        "attachments.md": attachments_page(),
        "asyncapi.json": asyncapi_text(),
        "schemas.json": schemas_text(),
    }


def main() -> None:
    """Write the files."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in reference().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
        print(f"written: docs/reference/{name}")


if __name__ == "__main__":
    main()
