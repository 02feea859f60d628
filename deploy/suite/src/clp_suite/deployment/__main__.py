"""``python -m clp_suite.deployment``: draw the files of a deployment from the code."""

import argparse
import json
from pathlib import Path

from clp_suite.deployment.broker_rights import USERS, definitions
from clp_suite.deployment.files import write_files


def draw(given: argparse.Namespace) -> None:
    """Write definitions, roles, environments and manifests into a folder."""
    for name in write_files(given.folder):
        print(f"written: {given.folder / name}")


def broker_definitions(given: argparse.Namespace) -> None:
    """Write the broker's definitions with passwords from files USER_broker_password."""
    paths = {user: given.secrets / f"{user}_broker_password" for user in USERS}
    if lacking := sorted(path.name for path in paths.values() if not path.exists()):
        raise SystemExit(f"{given.secrets} lacks {', '.join(lacking)}")
    known = definitions(
        {user: path.read_text().strip() for user, path in paths.items()}
    )
    print(json.dumps(known, indent=1))


def main() -> None:
    """Read the command line and do what it says."""
    asked = argparse.ArgumentParser(prog="python -m clp_suite.deployment")
    does = asked.add_subparsers(title="what to do", required=True)
    for act, name in ((draw, "draw"), (broker_definitions, "broker-definitions")):
        words = (act.__doc__ or "").strip()
        one = does.add_parser(name, help=words, description=words)
        one.set_defaults(act=act)
        if act is draw:
            one.add_argument("folder", type=Path, nargs="?", default=Path("deploy"))
        else:
            one.add_argument("secrets", type=Path, help="folder of passwords")
    given = asked.parse_args()
    given.act(given)


if __name__ == "__main__":
    main()
