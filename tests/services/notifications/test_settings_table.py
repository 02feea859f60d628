"""The settings table of the README lists what the program reads."""

import re
from dataclasses import MISSING, fields
from pathlib import Path

from clp_chassis.settings import ProcessSettings
from clp_notifications.settings import Settings

README = Path(__file__).parents[3] / "services/notifications/README.md"
ROW = re.compile(r"\| `([A-Z_]+)` \| (.+?) \| (.+?) \| (.+?) \|")


def shown(default: object) -> str:
    if default is MISSING:
        return "-"
    if default == "":
        return "empty"
    written = str(default).lower() if isinstance(default, bool) else str(default)
    return f"`{written}`"


def test_every_setting_stands_in_the_readme_with_its_default_and_unit() -> None:
    _, _, table = README.read_text("utf-8").partition("## Settings")
    found = {row[1]: row[2] for row in ROW.finditer(table.partition("\n## ")[0])}
    shared = {one.name for one in fields(ProcessSettings)}
    own = [one for one in fields(Settings) if one.name not in shared]
    assert found == {one.name.upper(): shown(one.default) for one in own}
