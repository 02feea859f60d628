"""``python -m tests.corpus FOLDER``: build the corpus, judge it, print the counts.

FOLDER keeps what was fetched. Exit status 1 if a file is judged wrongly, or if there are
fewer files than the corpus has to have.
"""

import subprocess
import sys
import venv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from clp_core.attachments import judge_content
from clp_messages.file_signatures import detect
from tests.corpus.debian import debian_files
from tests.corpus.published import CorpusFile, cases, files_of
from tests.corpus.written import written
from tests.support.command_line import command_parser

HERE = Path(__file__).parent
MIN_FILES = 2500


def main(folder: Path) -> int:
    """Build, judge and report."""
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    for file in corpus(folder):
        counts[file.source] += 1
        found = detect(file.head)
        decision = judge_content(file.name, found.kind, likeness=found.likeness)
        if bool(decision) is not file.accepted:
            wrong.append(f"{file.source}: {file.origin} as {file.name}: {found}")
    for source, count in sorted(counts.items()):
        sys.stdout.write(f"{count:7,}  {source}\n")
    sys.stdout.write(f"{counts.total():7,}  files, {len(wrong)} judged wrongly\n")
    sys.stdout.writelines(f"{line}\n" for line in wrong)
    return int(bool(wrong) or counts.total() < MIN_FILES)


def corpus(folder: Path) -> Iterator[CorpusFile]:
    """Every file: of published test sets, of Pillow, and of this machine's tools."""
    yield from written()
    for archive in sorted(_fetched(folder / "sources").glob("*.tar.gz")):
        yield from files_of(archive)
    yield from debian_files(folder / "debian")
    for path in sorted(_pictures(folder).iterdir()):
        yield from cases("Pillow", path.name, path.read_bytes())


def _fetched(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    names = (HERE / "sources.txt").read_text(encoding="utf-8").split("\n")
    for name in names:
        distribution = name.replace("==", "-")
        if name and name[0] != "#" and not (folder / f"{distribution}.tar.gz").exists():
            _run(
                sys.executable, "-m", "pip", "download", "--quiet", "--no-deps",
                "--no-binary", ":all:", "--dest", str(folder), name,
            )  # fmt: skip
    return folder


def _pictures(folder: Path) -> Path:
    pictures, environment = folder / "pictures", folder / "venv"
    if not pictures.exists():
        venv.create(environment, with_pip=True)
        python = str(environment / "bin" / "python")
        requirements = str(HERE / "requirements.txt")
        _run(python, "-m", "pip", "install", "--quiet", "-r", requirements)
        pictures.mkdir()
        _run(python, str(HERE / "pictures.py"), str(pictures))
    return pictures


def _run(*command: str) -> None:
    subprocess.run(command, check=True, stdout=sys.stderr)


if __name__ == "__main__":
    parser = command_parser()
    parser.add_argument("folder", metavar="FOLDER", type=Path)
    sys.exit(main(parser.parse_args().folder))
