"""``python -m clp_deploy``: draw the files of a deployment from the code."""

import argparse
from pathlib import Path

from clp_deploy.generated_files import write_files
from clp_deploy.secret_files import write_secret_folders


def draw(given: argparse.Namespace) -> None:
    """Write definitions, roles, environments and manifests into a folder."""
    for name in write_files(given.folder):
        print(f"written: {given.folder / name}")


def secrets(given: argparse.Namespace) -> None:
    """Make passwords, certificates and keys, a folder for each who may read it."""
    write_secret_folders(given.folder, dict(given.owner))
    print(f"everything is in {given.folder}")


def _owner(text: str) -> tuple[str, int]:
    name, _, number = text.partition("=")
    if not number.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not FOLDER=USER-ID")
    return name, int(number)


def main() -> None:
    """Read the command line and do what it says."""
    asked = argparse.ArgumentParser(prog="python -m clp_deploy")
    does = asked.add_subparsers(title="what to do", required=True)
    for act in (draw, secrets):
        words = (act.__doc__ or "").strip()
        one = does.add_parser(act.__name__, help=words, description=words)
        one.set_defaults(act=act)
        one.add_argument("folder", type=Path, nargs="?", default=Path("deploy"))
        if act is secrets:
            one.add_argument(
                "--owner",
                type=_owner,
                action="append",
                default=[],
                metavar="FOLDER=USER-ID",
                help="who owns one of the folders, such as rabbitmq=999",
            )
    given = asked.parse_args()
    given.act(given)


if __name__ == "__main__":
    main()
