"""Our side of the comparison: ``python -m bench.peer.ours FOLDER KIND``."""

from clp_suite import EmbeddedSuite  # isort: skip - first: it patches the process

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from typing_extensions import override

from bench.peer.host import (
    MAILED,
    READERS,
    WORD,
    WRITERS,
    PeerSystem,
    run_commands,
    text_of,
    until,
)
from clp_chassis.concurrency.rate_limiter import NO_LIMIT
from clp_suite.server_process import server_directory
from clp_suite.servers import PrivatePostgres, PrivateRabbit
from clp_suite.suite import Suite
from tests.support.portal_streams import (
    PortalProcesses,
    StreamClient,
    listening,
    sign_in,
)

PORTAL = ("dub_portal_user",)
TALK, MAIL = "talk", "mail"


class OurSystem(PeerSystem):
    """Four services, in one process on SQLite or as processes on servers."""

    def __init__(self, folder: Path, *, servers: bool) -> None:
        self._folder = folder
        self._servers = servers
        self._broadcasts = self._mailings = 0

    @override
    def running(self) -> Iterator[None]:
        with ExitStack() as open_:
            self._suite = open_.enter_context(self._made(open_))
            self._put_people()
            yield

    def _made(self, open_: ExitStack) -> Suite:
        if not self._servers:
            return EmbeddedSuite(self._folder, rate_limit=NO_LIMIT, portal=True)
        directory = open_.enter_context(server_directory())
        rabbit = open_.enter_context(PrivateRabbit(directory / "rabbit"))
        postgres = open_.enter_context(PrivatePostgres(directory / "postgres"))
        return PortalProcesses(
            self._folder / "suite", portals=1, rabbit=rabbit, postgres=postgres
        )

    def _put_people(self) -> None:
        admin = self._suite.client(service="directory").projects
        admin.put_partner(id="north", name="North Dubbing")
        for person in (*WRITERS, *READERS, *MAILED):
            admin.put_person(
                id=person,
                name=f"Person {person}",
                email=f"{person}@people.example",
                partner=None if person in WRITERS else "north",
                internal=person in WRITERS,
                roles=PORTAL,
            )
        self._put_project(TALK)

    def _put_project(self, project: str) -> None:
        admin = self._suite.client(service="directory").projects
        admin.put_project(id=project, title=f"Project {project}")
        admin.assign_partner(project=project, partner="north", languages=["fr"])

    @override
    def post(self, writer: str, number: int) -> None:
        self._suite.client(writer).messages.post(
            channel=f"{TALK}/direct/north", text=text_of(number), key=f"k{number}"
        )

    @override
    def broadcast(self) -> Callable[[str], bool]:
        channel = f"{TALK}/broadcast"
        self._broadcasts += 1
        posted = self._suite.client(WRITERS[0]).messages.post(
            channel=channel,
            text="Everybody, please read this.",
            key=f"b{self._broadcasts}",
        )

        def reads(reader: str) -> bool:
            page = self._suite.client(reader).messages.page(
                channel=channel, after=posted.number - 1, limit=1
            )
            return any(message.id == posted.id for message in page.messages)

        return reads

    @override
    @contextmanager
    def listening(self) -> Iterator[None]:
        port = urlsplit(self._portal_url()).port or 0
        self._streams = {
            reader: StreamClient(ports=[port], session=session, projects=[TALK])
            for reader, session in self._sessions().items()
        }
        with listening(list(self._streams.values())):
            until(lambda: all(one.is_open for one in self._streams.values()))
            yield

    def _portal_url(self) -> str:
        if isinstance(self._suite, PortalProcesses):
            return self._suite.portal_urls[0]
        assert isinstance(self._suite, EmbeddedSuite)
        return self._suite.portal_url

    def _sessions(self) -> dict[str, str]:
        if isinstance(self._suite, PortalProcesses):
            return self._suite.sign_in(READERS)
        assert isinstance(self._suite, EmbeddedSuite)
        # Its own sign-in knows the people of the sample world only.
        return sign_in(self._suite._environment.database_urls["portal"], READERS)

    @override
    def received(self, reader: str) -> int:
        return len(self._streams[reader].messages)

    @override
    def search(self) -> int:
        found = self._suite.client(READERS[0]).search.find(
            query=WORD, channel=f"{TALK}/direct/north", limit=10
        )
        return len(found.hits)

    @override
    def unread(self) -> int:
        told = self._suite.client(READERS[0]).messages.unread(projects=[TALK])
        return told.projects[0].unread

    @override
    def prepare_mail(self) -> None:
        self._mailings += 1
        self._mailed = f"{MAIL}{self._mailings}"
        self._put_project(self._mailed)
        for person in MAILED:
            self._suite.client(person).projects.follow(project=self._mailed)

    @override
    def mail_out(self) -> None:
        self._suite.client(WRITERS[0]).messages.post(
            channel=f"{self._mailed}/broadcast", text="There is news.", key="news"
        )

    @property
    @override
    def mail_folder(self) -> Path:
        return self._suite.mail_folder


if __name__ == "__main__":
    run_commands(OurSystem(Path(sys.argv[1]), servers=sys.argv[2] == "servers"))
