"""What every store promises: whole files or none, under keys of the service."""

import hashlib
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import eventlet
import pytest
from eventlet import tpool

from clp_contracts.errors import CallFailed
from clp_messages.storage import FileMissing, FileStore, open_file_store
from clp_messages.storage.s3 import S3FileStore
from tests.services.messages.object_store import ObjectStore

MEBIBYTE = 1024 * 1024
OCTET_STREAM = bytes(range(256)) * 16
KEY = "0123456789abcdef" * 2


class Kept:
    """A store, and a look behind it."""

    def __init__(self, store: FileStore, names: Callable[[], list[str]]) -> None:
        self.store = store
        self.names = names

    def take(self, body: bytes = OCTET_STREAM, key: str = KEY) -> str:
        with self.store.receiving(key) as keep:
            for at in range(0, len(body), 65536):
                keep(body[at : at + 65536])
        return keep.sha256

    def take_and_break(self) -> None:
        with self.store.receiving(KEY) as keep:
            keep(OCTET_STREAM)
            raise ConnectionError

    def give(self, start: int, length: int, key: str = KEY) -> bytes:
        with self.store.chunks(key, start, length) as chunks:
            return b"".join(chunks)


@pytest.fixture(params=["folder", "s3"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Kept:
    if request.param == "folder":
        store = open_file_store("", tmp_path / "files", tpool.execute)
        return Kept(store, lambda: [p.name for p in tmp_path.rglob("*") if p.is_file()])
    bucket = request.getfixturevalue("objects").new_bucket()
    return Kept(bucket.store, bucket.names)


@pytest.mark.parametrize("size", [1, MEBIBYTE + 1, 10 * MEBIBYTE])
def test_a_file_comes_back_byte_for_byte(kept: Kept, size: int) -> None:
    body = (OCTET_STREAM * (size // len(OCTET_STREAM) + 1))[:size]
    assert kept.take(body) == hashlib.sha256(body).hexdigest()
    assert kept.give(0, size) == body
    assert kept.names() == [KEY]


# start | length of 4096
PARTS = [(0, 1), (4095, 1), (1000, 2000), (0, 4096)]


def test_any_part_can_be_read_alone(kept: Kept) -> None:
    kept.take()
    for start, length in PARTS:
        assert kept.give(start, length) == OCTET_STREAM[start : start + length]


def test_a_file_is_not_there_before_it_is_whole(kept: Kept) -> None:
    with kept.store.receiving(KEY) as keep:
        keep(OCTET_STREAM)
        with pytest.raises(FileMissing):
            kept.give(0, 1)
    assert kept.give(0, 1) == OCTET_STREAM[:1]


def test_an_error_on_the_way_leaves_nothing(kept: Kept) -> None:
    with pytest.raises(ConnectionError):
        kept.take_and_break()
    assert kept.names() == []
    with pytest.raises(FileMissing):
        kept.give(0, 1)


def test_a_key_is_free_again_after_an_error(kept: Kept) -> None:
    with pytest.raises(ConnectionError):
        kept.take_and_break()
    kept.take()
    assert kept.give(0, len(OCTET_STREAM)) == OCTET_STREAM


def test_files_of_the_same_bytes_are_independent(kept: Kept) -> None:
    other = KEY[::-1]
    kept.take()
    kept.take(key=other)
    kept.store.remove(KEY)
    assert kept.give(0, 16, other) == OCTET_STREAM[:16]
    assert kept.names() == [other]


def test_removing_a_file_twice_is_harmless(kept: Kept) -> None:
    kept.take()
    for _ in range(2):
        kept.store.remove(KEY)
    assert kept.names() == []
    with pytest.raises(FileMissing):
        kept.give(0, 1)


def test_a_reader_that_stops_early_closes_the_file(kept: Kept) -> None:
    kept.take(OCTET_STREAM * 512)
    for _ in range(3):
        chunks = kept.store.chunks(KEY, 0, len(OCTET_STREAM) * 512)
        assert next(chunks) == (OCTET_STREAM * 512)[:65536]
        chunks.close()
    assert kept.give(5, 5) == OCTET_STREAM[5:10]


# ---- what only a store across a line can do wrong


@pytest.fixture
def deaf(credentials: None) -> Iterator[tuple[S3FileStore, list[int]]]:
    """A store that accepts connections and never responds; counts ticks of the loop."""
    ticks: list[int] = []
    with ExitStack() as after:
        sock = after.enter_context(socket.create_server(("127.0.0.1", 0)))
        port = sock.getsockname()[1]
        store = S3FileStore.at(f"s3://b?endpoint=http://127.0.0.1:{port}&region=r-1")

        def tick() -> None:
            while True:
                ticks.append(len(ticks))
                eventlet.sleep(0.005)

        ticking = eventlet.spawn(tick)
        after.callback(ticking.kill)
        yield store, ticks


def test_waiting_for_a_store_blocks_no_other_thread(
    deaf: tuple[S3FileStore, list[int]],
) -> None:
    store, ticks = deaf
    removing = eventlet.spawn(store.remove, KEY)
    before = len(ticks)
    with eventlet.Timeout(10):
        while len(ticks) < before + 20:
            eventlet.sleep(0.005)
    assert not removing.dead
    removing.kill()


def test_a_store_that_is_not_there_is_a_failed_call(credentials: None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]
    store = S3FileStore.at(f"s3://b?endpoint=http://127.0.0.1:{port}&region=r-1")
    with pytest.raises(CallFailed), store.receiving(KEY) as keep:
        keep(OCTET_STREAM)


def test_a_bucket_that_is_not_there_is_a_failed_call(
    objects: ObjectStore, credentials: None
) -> None:
    store = S3FileStore.at(f"s3://no-such?endpoint={objects.endpoint}&region=us-east-1")
    with pytest.raises(CallFailed, match="NoSuchBucket"):
        store.chunks(KEY, 0, 1)


@pytest.mark.parametrize(
    "url",
    [
        "s3:",
        "s3:///a",
        "file:///a",
        "bucket",
        "s3://b?region=x&secret=y",
        "s3://b?Endpoint=x",
    ],
)
def test_a_malformed_address_is_refused_with_a_sentence(
    url: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="s3://BUCKET/PREFIX"):
        open_file_store(url, tmp_path, tpool.execute)


def test_the_folder_is_closed_to_other_accounts(tmp_path: Path) -> None:
    kept = Kept(open_file_store("", tmp_path / "files", tpool.execute), list)
    kept.take()
    modes = {oct(p.stat().st_mode & 0o777) for p in (tmp_path / "files").rglob("*")}
    assert modes == {"0o700", "0o600"}
    assert (tmp_path / "files").stat().st_mode & 0o077 == 0
