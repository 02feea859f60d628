"""Test sets of Debian's source packages, fetched by name with apt, without root."""

import binascii
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from tests.corpus.published import HEAD_BYTES, CorpusFile, cases

PACKAGES = ("libarchive", "shared-mime-info")
APT = Path("/etc/apt")
FOLDERS = ("/libarchive/test/", "/tests/mime-detection/")
# Files of a set that are not what their extension says, and what they are.
MISNAMED = {
    "attachment.tif": "a JPEG",
    "bug106330.iso": "nothing but zeros",
    "foo.jpg": "a few letters",
    "test-really-html-not-xhtml.html": "a paragraph, which may begin a cell (rule 28)",
}


def debian_files(folder: Path) -> Iterator[CorpusFile]:
    """The files of the packages, where apt is; none elsewhere."""
    if shutil.which("apt-get") is None:
        return
    for package in PACKAGES:
        archives = folder.glob(f"{package}_*.orig.tar.*[a-z2]")
        archive = next((a for a in archives if a.suffix != ".asc"), None)
        if archive is None:
            _fetch(package, folder)
            archives = folder.glob(f"{package}_*.orig.tar.*[a-z2]")
            archive = next(a for a in archives if a.suffix != ".asc")
        yield from _files_of(archive, f"{package} (Debian)")


def _files_of(archive: Path, source: str) -> Iterator[CorpusFile]:
    with tarfile.open(archive) as tar:
        for member in tar:
            if not member.isfile() or not any(f in f"/{member.name}" for f in FOLDERS):
                continue
            content = tar.extractfile(member)
            data = content.read() if content else b""
            path = PurePosixPath(member.name)
            if path.suffix == ".uu":
                path, data = path.with_suffix(""), _decoded(data)
            if path.name not in MISNAMED:
                yield from cases(source, path.name, data[:HEAD_BYTES])


def _decoded(text: bytes) -> bytes:
    """A file in uuencode, whose lines may be one character short or long."""
    decoded: list[bytes] = []
    _, _, body = text.partition(b"begin ")
    for line in body.splitlines()[1:]:
        if line == b"end":
            break
        length = (((line[0] - 32) & 63) * 4 + 5) // 3 if line else 0
        decoded.append(binascii.a2b_uu(line[:length]) if line else b"")
    return b"".join(decoded)


def _fetch(package: str, folder: Path) -> None:
    lists, mirrors = folder / "lists", folder / "mirrors"
    (lists / "partial").mkdir(parents=True, exist_ok=True)
    mirrors.mkdir(exist_ok=True)
    for path in (*APT.glob("*.list"), *APT.glob("sources.list.d/*")):
        text = path.read_text(encoding="utf-8")
        (mirrors / path.name).write_text(_of_sources(text), encoding="utf-8")
    options = (
        "-o", "Dir::Etc::sourcelist=-",
        "-o", f"Dir::Etc::sourceparts={mirrors.resolve()}",
        "-o", f"Dir::State::lists={lists.resolve()}",
        "-o", "APT::Sandbox::User=",
        "-o", "Debug::NoLocking=1",
    )  # fmt: skip
    for command in (("update",), ("source", "--download-only", package)):
        subprocess.run(
            ["apt-get", "-q", *options, *command],
            cwd=folder,
            check=True,
            stdout=sys.stderr,
        )


def _of_sources(mirrors: str) -> str:
    """The mirrors of this machine, asked for source packages."""
    return re.sub(r"(?m)^(deb|Types: *deb)(?= |$)", r"\1-src", mirrors)
