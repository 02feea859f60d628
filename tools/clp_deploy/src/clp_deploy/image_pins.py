"""Pin images to their digests: ``python -m clp_deploy.image_pins DEPLOY``.

Skopeo, a Debian package, asks the registry of each image that the Dockerfile and the
compose file name. A tag stays, for people to read; what runs is the digest.
Nothing is written unless all of them are known. A pinned image leaves
``unpinned-images.txt``; those built from this repository stay there.
"""

import argparse
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Final

from clp_chassis.one_line_errors import in_one_line

PLACES: Final = ("Dockerfile", "compose/compose.yaml")
UNPINNED: Final = "unpinned-images.txt"
OWN: Final = "built from this repository"
DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
PIN: Final = rf"(?:@{DIGEST.pattern})?"
NAMED: Final = r"(?:image: |FROM )"
IMAGE: Final = re.compile(rf"^ *{NAMED}(\S+?){PIN}(?: AS \w+)?$", re.MULTILINE)
ARGUMENT: Final = re.compile(rf"^ARG (\w+)=(\S+?){PIN}$", re.MULTILINE)

DigestOf = Callable[[str], str]


class NoDigest(Exception):
    """The registry was not reached, or does not know the image."""


def images_of(text: str) -> set[str]:
    """Return the images that a file names, without digests."""
    arguments = dict(ARGUMENT.findall(text))
    return {
        re.sub(r"\$\{(\w+)\}", lambda found: arguments[found[1]], name)
        for name in IMAGE.findall(text)
    }


def pinned(text: str, image: str, digest: str) -> str:
    """Return a file with a digest behind each tag of an image."""
    _, _, tag = image.partition(":")
    literal = rf"^( *{NAMED}{re.escape(image)}){PIN}(?=$| AS )"
    argument = rf"^(ARG \w+={re.escape(tag)}){PIN}$"
    for place in (literal, argument):
        text = re.sub(place, rf"\1@{digest}", text, flags=re.MULTILINE)
    return text


def pin_all(folder: Path, digest_of: DigestOf) -> dict[str, str]:
    """Pin every image of a folder that is not our own; return their digests.

    Raises:
        NoDigest: nothing is written then.
    """
    texts = {place: (folder / place).read_text() for place in PLACES}
    listed = (folder / UNPINNED).read_text().splitlines(keepends=True)
    own = {line.partition(" ")[0] for line in listed if OWN in line}
    names = {name for text in texts.values() for name in images_of(text)} - own
    digests = {name: digest_of(name) for name in sorted(names)}
    for place, text in texts.items():
        (folder / place).write_text(_with_all(text, digests))
    left = [line for line in listed if line.partition(" ")[0].strip() not in digests]
    (folder / UNPINNED).write_text("".join(left))
    return digests


def _with_all(text: str, digests: dict[str, str]) -> str:
    for image, digest in digests.items():
        text = pinned(text, image, digest)
    return text


def ask_registry(image: str) -> str:
    """Return the digest of an image, as its registry has it now.

    Raises:
        NoDigest: with the reason.
    """
    skopeo = shutil.which("skopeo")
    if skopeo is None:
        raise NoDigest("skopeo is missing; install the Debian package of that name")
    name = image if "/" in image else f"docker.io/library/{image}"
    result = subprocess.run(  # noqa: S603 - names in our own files
        [skopeo, "inspect", "--format", "{{.Digest}}", f"docker://{name}"],
        capture_output=True,
        text=True,
        check=False,
    )
    digest = result.stdout.strip()
    if result.returncode or not DIGEST.fullmatch(digest):
        lines = result.stderr.strip().splitlines() or ["no digest"]
        raise NoDigest(f"{image}: {lines[-1]}")
    return digest


def main() -> None:
    """Pin the images of a folder, or say in one line why not."""
    parser = argparse.ArgumentParser(
        prog="python -m clp_deploy.image_pins",
        description="Pin the images that a Dockerfile and a compose file name.",
    )
    parser.add_argument("folder", type=Path, help="the folder of both, as `deploy`")
    folder: Path = parser.parse_args().folder
    with in_one_line():
        try:
            digests = pin_all(folder, ask_registry)
        except NoDigest as error:
            raise SystemExit(f"nothing was pinned: {error}") from None
    for image, digest in digests.items():
        print(f"{image} {digest}")  # noqa: T201 - the output of a command


if __name__ == "__main__":
    main()
