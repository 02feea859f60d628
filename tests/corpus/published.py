"""Files of published test sets, each with what their extension promises."""

import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

# The first bytes of a file are enough to judge it.
HEAD_BYTES = 64 * 1024
# Extension in a test set -> the name under which the file is uploaded.
ACCEPTED = {
    **{extension: extension for extension in (
        "ai", "bmp", "eps", "gif", "heif", "jpeg", "jpg", "mov", "mxl", "pdf", "png",
        "psd", "wav", "webp", "csv",
    )},
    "avif": "heif",
    "heic": "heif",
    "mp4": "mov",
    "m4v": "mov",
    "txt": "csv",
    "srt": "csv",
    "cr2": "raw",
    "cr3": "raw",
    "crw": "raw",
    "dng": "raw",
    "nef": "raw",
    "raf": "raw",
    "rw2": "raw",
    "tif": "raw",
    "tiff": "raw",
}  # fmt: skip
REFUSED = frozenset({
    "7z", "apk", "ar", "bz2", "cab", "class", "deb", "dex", "dll", "docx", "elf", "exe",
    "gz", "html", "iso", "jar", "lz", "lzh", "msi", "odt", "pptx", "pyc", "rar", "rpm", "so",
    "svg", "swf", "tar", "wasm", "xar", "xhtml", "xlsx", "xz", "z", "zip", "zst",
})  # fmt: skip
# Names under which a refused file is tried.
DISGUISES = ("csv", "raw", "png", "mov", "mxl")
# Names under which a good file of a kind is tried, which its reader does not take.
OTHERS = {
    **dict.fromkeys(("bmp", "gif", "jpg", "png", "webp", "psd"), ("mov", "pdf", "wav")),
    **dict.fromkeys(("wav", "mov", "heif"), ("pdf", "png", "mxl")),
    **dict.fromkeys(("pdf", "eps", "csv"), ("mov", "jpg", "bmp")),
    "mxl": ("mov", "pdf", "csv"),
    "raw": ("mov", "pdf", "png"),
}
# Files of a set that break their own format on purpose, and what is wrong with them.
BROKEN = {
    "chardet/tests/ascii/_mozilla_bug638318_text.html": "nothing but zeros",
}


@dataclass(frozen=True, slots=True)
class CorpusFile:
    """A file to judge: where it comes from, its name, its head, and what is right."""

    source: str
    origin: str
    name: str
    head: bytes
    accepted: bool


def files_of(archive: Path) -> Iterator[CorpusFile]:
    """The files of a source distribution that belong to the corpus."""
    source = archive.name.rsplit("-", 1)[0]
    for path, head in _members(archive):
        origin = f"{source}/{PurePosixPath(*path.parts[1:])}"
        if origin not in BROKEN and head:
            yield from cases(source, origin, head)


def cases(source: str, origin: str, head: bytes) -> Iterator[CorpusFile]:
    """A file under its own name, or one that is refused under each disguise."""
    path = PurePosixPath(origin)
    extension = path.suffix.removeprefix(".").lower()
    if extension in ACCEPTED:
        name = f"{path.stem}.{ACCEPTED[extension]}"
        yield CorpusFile(source, origin, name, head, accepted=True)
        others = OTHERS.get(ACCEPTED[extension], ())
        if others:
            name = f"{path.stem}.{others[len(head) % len(others)]}"
            yield CorpusFile(source, origin, name, head, accepted=False)
    if extension in REFUSED:
        for disguise in DISGUISES:
            name = f"{path.stem}.{disguise}"
            yield CorpusFile(source, origin, name, head, accepted=False)


def _members(archive: Path) -> Iterator[tuple[PurePosixPath, bytes]]:
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive) as zipped:
            for name in zipped.namelist():
                yield PurePosixPath(name), zipped.read(name)[:HEAD_BYTES]
        return
    with tarfile.open(archive) as tar:
        for member in tar:
            content = tar.extractfile(member) if member.isfile() else None
            if content is not None:
                yield PurePosixPath(member.name), content.read(HEAD_BYTES)
