"""Keys for a suite: one for each service, and one that may vouch for anybody."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any, Final

from clp_chassis.clock import now
from clp_chassis.passports import Issuer, new_key, private_pem, public_pem

SERVICES: Final = ("projects", "messages", "search", "notifications")
GATEWAY: Final = "gateway"


def write_keys(folder: Path) -> Issuer:
    """Make keys where there are none; give the gateway's issuer.

    A service can vouch for itself only. The gateway vouches for people, for the robot
    and for services of other teams.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not (folder / "trusted.json").exists():
        trusted = {
            name: _make(folder / f"{name}.pem", subjects=[name]) for name in SERVICES
        }
        trusted[GATEWAY] = _make(folder / f"{GATEWAY}.pem", subjects=None)
        (folder / "trusted.json").write_text(json.dumps(trusted, indent=1))
    return Issuer.from_file(folder / f"{GATEWAY}.pem", now)


def _make(path: Path, *, subjects: list[str] | None) -> dict[str, Any]:
    key = new_key()
    path.touch(mode=0o600)
    path.write_bytes(private_pem(key))
    kinds = ["person", "robot", "service"] if subjects is None else ["service"]
    return {
        "public_key": public_pem(key.public_key()),
        "kinds": kinds,
        "subjects": subjects,
    }


def main() -> None:
    """``python -m clp_suite.keys FOLDER``: make the keys of a deployment."""
    asked = argparse.ArgumentParser(
        prog="python -m clp_suite.keys",
        description="Make a key for each service, one for the gateway, and the list of "
        "trusted ones. Keys that are there already are kept.",
    )
    asked.add_argument("folder", type=Path)
    folder: Path = asked.parse_args().folder
    write_keys(folder)
    sys.stdout.write(f"{folder} holds {', '.join((*SERVICES, GATEWAY))}\n")


if __name__ == "__main__":
    main()
