"""F16: many uploads at once, half of them cut, their process killed: no byte lost or left."""

import hashlib
import os
import random
import socket
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from http.client import HTTPException
from pathlib import Path
from urllib.parse import quote, urlsplit

import eventlet
import psycopg
import pytest

from clp_chassis.clock import now
from clp_chassis.persistence.database import Database
from clp_contracts.errors import CallFailed, Refused
from clp_contracts.facts_cache import FactsCache
from clp_messages.dependencies import Dependencies
from clp_messages.storage import LocalFileStore
from clp_messages.use_cases.uploads import sweep_orphans
from tests.faults.conftest import FaultBed
from tests.faults.fault_run import until
from tests.faults.load import NORTH, STUDIO, Load, create_world
from tests.faults.process_group import ProcessGroup

pytestmark = pytest.mark.faults

AT_ONCE = int(os.environ.get("TESTS_FAULTS_UPLOADS", "20"))
# A person's day has room for so many files and no more.
UPLOADERS = ("ivy", "nat", *STUDIO, *NORTH)
MEGABYTES = int(os.environ.get("TESTS_FAULTS_MEGABYTES", "1"))


def test_no_row_is_without_its_file_and_no_file_without_its_row(
    bed: FaultBed, new_load: Callable[..., Load]
) -> None:
    group, load = bed.group, new_load(projects=1)
    create_world(group, load)
    channel = f"{load.project(0)}/direct/north"
    rng = random.Random(load.seed)
    bodies = [rng.randbytes(MEGABYTES << 20) for _ in range(AT_ONCE)]
    kept: dict[str, tuple[str, bytes]] = {}

    def upload_until_acknowledged(number: int) -> None:
        """Upload until acknowledged; restart a cut or killed upload."""
        person = UPLOADERS[number % len(UPLOADERS)]
        if number % 2:
            _cut_upload(group, channel, bodies[number])
        while True:
            with suppress(CallFailed, Refused, OSError, HTTPException, ValueError):
                file = group.files(person).upload(
                    channel=channel, name=f"cue-{number}.csv", body=bodies[number]
                )
                kept[file] = person, bodies[number]
                return
            eventlet.sleep(0.2)

    uploading = [
        eventlet.spawn(upload_until_acknowledged, number) for number in range(AT_ONCE)
    ]
    until(lambda: len(kept) >= AT_ONCE // 5, 120, "some uploads")
    group.kill_and_restart("messages.0")
    for one in uploading:
        one.wait()

    for file, (person, _) in kept.items():
        post = group.client(person).messages.post
        assert post(channel=channel, key=file, attachments=[file]).number
    database_url, folder = (
        group._plan.database_urls["messages"],
        group.data_dir / "files",
    )
    assert _ready(database_url) <= _files(folder), "a row without its file"
    _sweep_an_hour_later(group, database_url, folder)
    assert _files(folder) == _ready(database_url), "what is left behind"
    for file, (_, body) in kept.items():
        response = group.files("ivy").download(file)
        assert response.status == 200
        assert _sum(response.body) == _sum(body)


def _sum(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _cut_upload(group: ProcessGroup, channel: str, body: bytes) -> None:
    """A client whose connection breaks amid the body."""
    to = urlsplit(group.http_url)
    passport = group.files("ivy")._passport()
    with (
        suppress(OSError),
        socket.create_connection((str(to.hostname), int(to.port or 0)), 10) as line,
    ):
        line.sendall(
            f"POST /attachments?channel={quote(channel, safe='')}&name=cut.csv"
            f" HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {passport}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n".encode()
        )
        line.sendall(body[: len(body) // 2])


def _ready(database_url: str) -> set[str]:
    with psycopg.connect(database_url.replace("+psycopg", "")) as database:
        rows = database.execute(
            "select store_key from attachments where state = 'ready'"
        ).fetchall()
    return {key for (key,) in rows}


def _files(folder: Path) -> set[str]:
    """Return the files on the disk, unfinished ones included."""
    return {path.name for path in folder.rglob("*") if path.is_file()}


def _sweep_an_hour_later(group: ProcessGroup, database_url: str, folder: Path) -> None:
    clients = group.client("ivy")
    deps = Dependencies(
        database=Database(database_url),
        files=LocalFileStore(folder),
        clients=clients,
        facts=FactsCache(clients.projects),
        clock=lambda: now() + timedelta(hours=2),
    )
    while sweep_orphans(deps=deps):
        pass
    deps.database.engine.dispose()
