"""Compare our postings codec with Whoosh's own: ``python -m bench.codec --count N``.

Both index the same generated messages as the same terms, in 16 shards by two processes,
and run the same queries of two words in one channel, newest twenty first. With the stock
codec terms are a field without positions, and queries read its postings block by block.
The stock codec replaces ours if it takes at most 1 KB a message, 5 ms (95th percentile)
for two words and, for a million messages, 150 s for a rebuild.
"""

import json
import resource
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import islice
from pathlib import Path
from shutil import rmtree
from typing import Any, Final

from whoosh.fields import STORED, FieldType, Schema
from whoosh.filedb.filestore import FileStorage
from whoosh.formats import Existence
from whoosh.index import TOC, FileIndex
from whoosh.reading import SegmentReader

from bench.index import SHARDS, WORKERS, _figures, _quickest, build, search
from bench.search_messages import SampleQuery
from clp_search.engine import Conjunction, Document
from clp_search.index.documents import from_record, to_record
from clp_search.index.sharded_index import BULK, shard_of
from clp_search.query import parse
from clp_search.terms import CHANNEL, document_terms, query_plan
from tests.support.command_line import command_parser

NAME: Final = "STOCK"
SEGMENT: Final = BULK.flush_docs
PAGE: Final = 20


class TermSet(FieldType):  # type: ignore[misc]
    """A field that is given its terms."""

    def __init__(self) -> None:
        self.format = Existence()
        self.analyzer = None
        self.scorable = self.stored = self.unique = False
        self.vector = self.column_type = None

    def index(self, value: Sequence[str], **_: Any) -> Iterator[tuple[Any, ...]]:
        """Return the postings of a document."""
        return ((term.encode(), 1, 1.0, b"") for term in sorted(value))


def _schema() -> Any:
    return Schema(d=STORED(), t=TermSet())


def main() -> None:
    """Measure our codec, then the stock one."""
    parser = command_parser()
    parser.add_argument("--count", type=int, default=200_000)
    parser.add_argument("--folder", type=Path, default=Path("run-data/bench-codec"))
    options = parser.parse_args()
    print("our codec", flush=True)
    build(options.folder, options.count)
    search(options.folder, options.count)
    print("stock codec", flush=True)
    _build_stock(options.folder, options.count)
    _search_stock(options.folder, options.count)


def _build_stock(folder: Path, count: int) -> None:
    rmtree(folder / "stock", ignore_errors=True)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    with ProcessPoolExecutor(WORKERS) as pool:
        list(pool.map(partial(_index_part, folder, count), range(WORKERS)))
    took = time.perf_counter() - started
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
    files = (path for path in (folder / "stock").rglob("*") if path.is_file())
    size = sum(path.stat().st_size for path in files)
    print(
        f"built {count:,} messages in {took:.0f} s, {count / took:,.0f}/s; processor "
        f"time {cpu:.0f} s; disk {size / count:.0f} bytes a message",
        flush=True,
    )


def _index_part(folder: Path, count: int, part: int) -> None:
    """Index the shards of one process."""
    buffers: dict[int, list[Document]] = {}
    with (folder / f"messages-{count}.jsonl").open(encoding="utf-8") as file:
        for line in file:
            document = from_record(tuple(json.loads(line)))
            shard = shard_of(document.project, SHARDS)
            if shard % WORKERS != part:
                continue
            buffer = buffers.setdefault(shard, [])
            buffer.append(document)
            if len(buffer) >= SEGMENT:
                _write(folder / "stock" / f"{shard:02}", buffer)
                buffer.clear()
    for shard, buffer in buffers.items():
        _write(folder / "stock" / f"{shard:02}", buffer)


def _write(folder: Path, documents: list[Document]) -> None:
    storage = FileStorage(str(folder))
    if not folder.exists():
        folder.mkdir(parents=True)
        TOC.create(storage, _schema(), NAME)
    writer = FileIndex(storage, _schema(), NAME).writer(compound=False)
    for document in documents:
        writer.add_document(d=to_record(document), t=document_terms(document))
    writer.commit(mergetype=lambda _, segments: segments)


def _search_stock(folder: Path, count: int) -> None:
    queries = json.loads((folder / f"questions-{count}.json").read_text())["2"]
    readers = {}
    for path in sorted((folder / "stock").iterdir()):
        storage = FileStorage(str(path))
        toc = TOC.read(storage, NAME, schema=_schema())
        readers[int(path.name)] = [
            SegmentReader(storage, _schema(), segment) for segment in toc.segments
        ]
    times = [
        _quickest(partial(_find, readers, SampleQuery(*query))) for query in queries
    ]
    print(f"2 words in a channel: {_figures(times)}")


def _find(readers: dict[int, list[Any]], query: SampleQuery) -> list[Any]:
    """Return the newest matches: the rarest term first, segment by segment."""
    plan = query_plan(parse(query.text))
    groups = [[CHANNEL + query.channel]]
    for disjunction in plan.must:
        conjunction: Conjunction = disjunction[0]
        groups += [list(group.terms) for group in conjunction]
    found: list[Any] = []
    for reader in reversed(readers[shard_of(query.project, SHARDS)]):
        numbers = _matching(reader, groups)
        newest = islice(reversed(numbers), PAGE - len(found))
        found += [reader.stored_fields(number)["d"] for number in newest]
        if len(found) >= PAGE:
            break
    return found


def _matching(reader: Any, groups: list[list[str]]) -> list[int]:
    counted = sorted(
        (sum(reader.doc_frequency("t", term) for term in terms), terms)
        for terms in groups
    )
    if not counted[0][0]:
        return []
    matching: set[int] | None = None
    for _, terms in counted:
        numbers: set[int] = set()
        for term in terms:
            if reader.doc_frequency("t", term):
                numbers.update(reader.postings("t", term).all_ids())
        matching = numbers if matching is None else matching & numbers
        if not matching:
            return []
    return sorted(matching or ())


if __name__ == "__main__":
    main()
