"""Files written by tools of this machine: tables, sounds, scores, archives, programs."""

import bz2
import csv
import gzip
import io
import lzma
import marshal
import random
import shutil
import sysconfig
import tarfile
import wave
import zipfile
from collections.abc import Iterator
from importlib.util import MAGIC_NUMBER
from itertools import islice
from pathlib import Path

from tests.corpus.published import HEAD_BYTES, CorpusFile, cases

ENCODINGS = (
    "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252", "cp1251", "cp932", "euc_jp",
    "gb18030", "big5", "euc_kr", "iso2022_jp",
)  # fmt: skip
FIRST_CELLS = (
    "ID", "FILE", "begin", "From", "Version", "import", "record_id", "BM", "MZ", "PK", "II*",
    "RIFF", "8BPS", "FWS", "<i>Previously</i>", "@echo", "#", "070707", "字幕", "Größe", "тайтл",
)  # fmt: skip
PROGRAMS = 60
SAMPLES = 60


def written() -> Iterator[CorpusFile]:
    """All files, by source."""
    yield from _tables()
    yield from _sounds()
    yield from _packed()
    yield from _programs()


def _tables() -> Iterator[CorpusFile]:
    for number, (encoding, cell) in enumerate(
        (encoding, cell) for encoding in ENCODINGS for cell in FIRST_CELLS
    ):
        for dialect in ("excel", "excel-tab"):
            text = io.StringIO()
            rows = [[cell, "title", "00:00:01:00"], ["1", "夜行列車", "Nachtzug"]]
            csv.writer(text, dialect).writerows(rows)
            head = text.getvalue().encode(encoding, "replace")
            origin = f"csv/{number}-{dialect}-{encoding}.csv"
            yield from cases("csv (Python)", origin, head)


def _sounds() -> Iterator[CorpusFile]:
    chance = random.Random(28)
    for number in range(SAMPLES):
        frames = chance.randbytes(4096) if number % 2 else bytes([number]) * 4096
        buffer = io.BytesIO()
        with wave.open(buffer, "wb") as sound:
            sound.setnchannels(1 + number % 2)
            sound.setsampwidth(1 + number % 4)
            sound.setframerate(8000 * (1 + number % 6))
            sound.writeframes(frames)
        yield from cases("wave (Python)", f"wave/{number}.wav", buffer.getvalue())
        yield CorpusFile("samples", f"samples/{number}", "a.raw", frames, accepted=True)


def _packed() -> Iterator[CorpusFile]:
    content = {"a.txt": b"a" * 900, "b/c.bin": random.Random(1).randbytes(9000)}
    for name, pack in (("zip", _zip), ("tar", _tar)):
        yield from cases(f"{name} (Python)", f"packed/a.{name}", pack(content))
    data = b"".join(content.values())
    for name, squeezed in (
        ("gz", gzip.compress(data)), ("bz2", bz2.compress(data)), ("xz", lzma.compress(data)),
    ):  # fmt: skip
        yield from cases(f"{name} (Python)", f"packed/a.{name}", squeezed)
    for names in (["META-INF/container.xml", "score.xml"], ["a.musicxml"]):
        score = _zip(dict.fromkeys(names, b"<score-partwise/>" * 40))
        yield from cases("zip (Python)", f"packed/{len(names)}.mxl", score)
    office = _zip({"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<w/>"})
    yield from cases("zip (Python)", "packed/a.docx", office)


def _programs() -> Iterator[CorpusFile]:
    programs = (path for path in sorted(Path("/usr/bin").iterdir()) if path.is_file())
    compiled = (path for path in programs if path.read_bytes()[:4] == b"\x7fELF")
    for path in islice(compiled, PROGRAMS):
        head = path.read_bytes()[:HEAD_BYTES]
        yield from cases("Debian, /usr/bin", f"{path.name}.elf", head)
    library = Path(sysconfig.get_path("stdlib"))
    for path in islice(sorted(library.glob("*.py")), PROGRAMS):
        code = compile(path.read_bytes(), path.name, "exec", dont_inherit=True)
        head = MAGIC_NUMBER + bytes(12) + marshal.dumps(code)
        yield from cases("Python's compiler", f"{path.stem}.pyc", head[:HEAD_BYTES])
    if shell := shutil.which("sh"):
        script = f"#!{shell}\necho\n".encode()
        for extension in ("csv", "raw", "svj", "ind"):
            name = f"a.{extension}"
            yield CorpusFile("scripts", "a.sh", name, script, accepted=False)


def _zip(content: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def _tar(content: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in content.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()
