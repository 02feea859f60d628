"""``python -m clp_deploy``: generate the files and secrets of a deployment."""

import argparse
from pathlib import Path

from clp_chassis.one_line_errors import in_one_line
from clp_deploy.generated_files import write_generated_files
from clp_deploy.secret_files import FOLDERS, write_secret_folders


def files(args: argparse.Namespace) -> None:
    """Generate broker definitions, database roles, environments and manifests."""
    if not args.folder.is_dir():
        raise SystemExit(f"{args.folder}: no such folder; name the one to write into")
    for name in write_generated_files(args.folder):
        print(f"written: {args.folder / name}")


def secrets(args: argparse.Namespace) -> None:
    """Generate passwords, certificates and keys, one folder for each reader."""
    write_secret_folders(args.folder, dict(args.owner))
    print(f"everything is in {args.folder}")


def _owner(text: str) -> tuple[str, int]:
    name, _, number = text.partition("=")
    if name not in FOLDERS or not number.isdecimal():
        raise argparse.ArgumentTypeError(
            f"{text!r} is not FOLDER=USER-ID; the folders are {', '.join(FOLDERS)}"
        )
    return name, int(number)


def main() -> None:
    """Run the command of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m clp_deploy",
        description="Generate what a deployment needs. Passport keys are rotated by"
        " `python -m clp_deploy.keys`.",
    )
    commands = parser.add_subparsers(title="commands", required=True)
    for act in (files, secrets):
        text = (act.__doc__ or "").strip()
        command = commands.add_parser(act.__name__, help=text, description=text)
        command.set_defaults(act=act)
        command.add_argument("folder", type=Path)
        if act is secrets:
            command.add_argument(
                "--owner",
                type=_owner,
                action="append",
                default=[],
                metavar="FOLDER=USER-ID",
                help="the owner of a folder, such as rabbitmq=999",
            )
    args = parser.parse_args()
    with in_one_line():
        args.act(args)


if __name__ == "__main__":
    main()
