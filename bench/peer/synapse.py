"""The other side: Matrix Synapse from its package, on loopback, without rate limits.

``python -m bench.peer.synapse FOLDER KIND PYTHON``; ``PYTHON`` is the interpreter of
the environment that the package is installed in.
"""

import hashlib
import hmac
import http.client
import json
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode

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
from clp_suite.server_process import free_ports, server_directory
from clp_suite.servers import PrivatePostgres

NAME: Final = "synapse.example"
START_S: Final = 60.0
# As long as its own clients wait.
LONG_POLL_S: Final = 30
NO_LIMIT: Final = {"per_second": 1e6, "burst_count": 1_000_000}
LIMITS: Final = (
    "rc_message",
    "rc_registration",
    "rc_admin_redaction",
    "rc_3pid_validation",
    "rc_media_create",
)


class Refusal(Exception):
    """Synapse refused a request."""


class Client:
    """One connection for each thread, kept open."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._own = threading.local()

    def request(self, verb: str, path: str, token: str = "", body: Any = None) -> Any:
        """Make a request; return the JSON response."""
        link = getattr(self._own, "link", None)
        if link is None:
            link = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
            self._own.link = link
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        link.request(verb, path, None if body is None else json.dumps(body), headers)
        reply = link.getresponse()
        response = json.loads(reply.read())
        if reply.status >= http.client.BAD_REQUEST:
            raise Refusal(f"{verb} {path}: {response}")
        return response


class SynapseSystem(PeerSystem):
    """One Synapse process, on SQLite or on PostgreSQL."""

    def __init__(self, folder: Path, *, servers: bool, python: str) -> None:
        self._folder = folder
        self._servers = servers
        self._python = python
        self._secret = secrets.token_hex(16)
        self._tokens: dict[str, str] = {}
        self._since: dict[str, str] = {}
        self._posts = 0

    @override
    def running(self) -> Iterator[None]:
        self._folder.mkdir(parents=True, exist_ok=True)
        port, self.sink_port = free_ports(2)
        self._client = Client(port)
        with ExitStack() as open_:
            database = self._database(open_)
            config = self._configured(port, database)
            for command in (self._sink(), self._synapse(config)):
                process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
                open_.callback(process.wait)
                open_.callback(process.terminate)
            self._wait_until_it_answers()
            self._put_people()
            yield

    def _sink(self) -> list[str]:
        sink = [sys.executable, "-W", "ignore", "-m", "clp_suite.smtp_sink"]
        return [*sink, str(self.sink_port), str(self.mail_folder)]

    def _synapse(self, config: Path) -> list[str]:
        server = [self._python, "-m", "synapse.app.homeserver", "-c", str(config)]
        subprocess.run(
            [*server, "--generate-keys"], check=True, stdout=subprocess.DEVNULL
        )
        return server

    def _database(self, open_: ExitStack) -> dict[str, Any]:
        if not self._servers:
            path = str(self._folder / "homeserver.db")
            return {"name": "sqlite3", "args": {"database": path}}
        directory = open_.enter_context(server_directory())
        postgres = open_.enter_context(PrivatePostgres(directory / "postgres"))
        url = postgres.create_database("synapse")
        plain = url.replace("postgresql+psycopg", "postgresql")
        return {"name": "psycopg2", "allow_unsafe_locale": True} | {
            "args": {"dsn": plain, "cp_min": 5, "cp_max": 10}
        }

    def _configured(self, port: int, database: Mapping[str, Any]) -> Path:
        resources = [{"names": ["client"], "compress": False}]
        listener = {"port": port, "type": "http", "bind_addresses": ["127.0.0.1"]}
        config = {
            "server_name": NAME,
            "report_stats": False,
            # People here are generated; hashing passwords is not what is compared.
            "bcrypt_rounds": 4,
            "signing_key_path": str(self._folder / "signing.key"),
            "media_store_path": str(self._folder / "media"),
            "macaroon_secret_key": secrets.token_hex(16),
            "registration_shared_secret": self._secret,
            "database": dict(database),
            "listeners": [listener | {"resources": resources}],
            "log_config": str(self._logged()),
            "trusted_key_servers": [],
            "presence": {"enabled": False},
            "email": {
                "smtp_host": "127.0.0.1",
                "smtp_port": self.sink_port,
                "enable_tls": False,
                "notif_from": "CLP <clp@people.example>",
                "enable_notifs": True,
                "notif_for_new_users": False,
                "notif_delay_before_mail": "0s",
                "client_base_url": "https://client.example",
            },
            "public_baseurl": "https://synapse.example/",
        }
        limits: dict[str, Any] = dict.fromkeys(LIMITS, NO_LIMIT)
        limits["rc_login"] = dict.fromkeys(("address", "account"), NO_LIMIT)
        limits["rc_joins"] = dict.fromkeys(("local", "remote"), NO_LIMIT)
        limits["rc_joins_per_room"] = NO_LIMIT
        kinds = ("per_room", "per_user", "per_issuer")
        limits["rc_invites"] = dict.fromkeys(kinds, NO_LIMIT)
        path = self._folder / "homeserver.yaml"
        path.write_text(json.dumps(config | limits))
        return path

    def _logged(self) -> Path:
        handler = {"class": "logging.FileHandler", "filename": "synapse.log"}
        handler["filename"] = str(self._folder / "synapse.log")
        root = {"level": "WARNING", "handlers": ["file"]}
        logs = {"version": 1, "handlers": {"file": handler}, "root": root}
        path = self._folder / "log.yaml"
        path.write_text(json.dumps(logs))
        return path

    def _wait_until_it_answers(self) -> None:
        def is_up() -> bool:
            try:
                Client(self._client._port).request("GET", "/_matrix/client/versions")
            except (OSError, http.client.HTTPException):
                return False
            return True

        until(is_up)

    # ---- people and rooms

    def _put_people(self) -> None:
        self._tokens["admin"] = self._register("admin", admin=True)
        for person in (*WRITERS, *READERS, *MAILED):
            self._tokens[person] = self._register(person, admin=False)
        for person in MAILED:
            self._want_mails(person)
        self._talk = self._room((*WRITERS[1:], *READERS))
        for reader in READERS:
            self._since[reader] = self._sync(reader)["next_batch"]

    def _register(self, name: str, *, admin: bool) -> str:
        path = "/_synapse/admin/v1/register"
        nonce = self._client.request("GET", path)["nonce"]
        options = (nonce, name, "pass-" + name, "admin" if admin else "notadmin")
        mac = hmac.new(self._secret.encode(), "\0".join(options).encode(), hashlib.sha1)
        body = {"nonce": nonce, "username": name, "password": "pass-" + name}
        body |= {"admin": admin, "mac": mac.hexdigest()}
        token: str = self._client.request("POST", path, body=body)["access_token"]
        return token

    def _want_mails(self, person: str) -> None:
        address = f"{person}@people.example"
        path = f"/_synapse/admin/v2/users/@{person}:{NAME}"
        body: Any = {"threepids": [{"medium": "email", "address": address}]}
        self._client.request("PUT", path, self._tokens["admin"], body)
        pusher = {
            "kind": "email",
            "app_id": "m.email",
            "pushkey": address,
            "app_display_name": "Mail",
            "device_display_name": address,
            "lang": "en",
            "data": {},
        }
        self._as(person, "POST", "pushers/set", pusher)

    def _room(self, people: tuple[str, ...]) -> str:
        made = self._as(WRITERS[0], "POST", "createRoom", {"preset": "public_chat"})
        room: str = made["room_id"]
        for person in people:
            self._as(person, "POST", f"join/{quote(room)}", {})
        return room

    def _as(self, person: str, verb: str, path: str, body: Any = None) -> Any:
        whole = f"/_matrix/client/v3/{path}"
        return self._client.request(verb, whole, self._tokens[person], body)

    def _sync(self, person: str, *, wait_s: int = 0) -> Any:
        wanted = {"room": {"timeline": {"limit": 20}}, "presence": {"limit": 0}}
        parser = {"filter": json.dumps(wanted), "timeout": str(1000 * wait_s)}
        if since := self._since.get(person):
            parser["since"] = since
        return self._as(person, "GET", "sync?" + urlencode(parser))

    def _send(self, writer: str, room: str, text: str) -> str:
        self._posts += 1
        key = f"{writer}{self._posts}{time.time_ns()}"
        path = f"rooms/{quote(room)}/send/m.room.message/{key}"
        sent = self._as(writer, "PUT", path, {"msgtype": "m.text", "body": text})
        event: str = sent["event_id"]
        return event

    # ---- the conversation

    @override
    def post(self, writer: str, number: int) -> None:
        self._send(writer, self._talk, text_of(number))

    @override
    def broadcast(self) -> Callable[[str], bool]:
        event = self._send(WRITERS[0], self._talk, "Everybody, please read this.")

        def reads(reader: str) -> bool:
            return event in self._new_events(reader)

        return reads

    def _new_events(self, reader: str, *, wait_s: int = 0) -> list[str]:
        response = self._sync(reader, wait_s=wait_s)
        self._since[reader] = response["next_batch"]
        room = response.get("rooms", {}).get("join", {}).get(self._talk, {})
        events = room.get("timeline", {}).get("events", ())
        return [event["event_id"] for event in events]

    @override
    @contextmanager
    def listening(self) -> Iterator[None]:
        self._received = dict.fromkeys(READERS, 0)
        for reader in READERS:
            self._new_events(reader)
        is_over = threading.Event()

        def poll(reader: str) -> None:
            while not is_over.is_set():
                self._received[reader] += len(
                    self._new_events(reader, wait_s=LONG_POLL_S)
                )

        with ThreadPoolExecutor(len(READERS)) as pool:
            polling = [pool.submit(poll, reader) for reader in READERS]
            yield
            is_over.set()
            # The last message ends the polls that wait.
            self._send(WRITERS[0], self._talk, "That was all.")
            for one in polling:
                one.result()

    @override
    def received(self, reader: str) -> int:
        return self._received[reader]

    @override
    def search(self) -> int:
        where = {"rooms": [self._talk], "limit": 10}
        parser = {"search_term": WORD, "filter": where, "order_by": "recent"}
        body = {"search_categories": {"room_events": parser}}
        response = self._as(READERS[0], "POST", "search", body)
        return len(response["search_categories"]["room_events"]["results"])

    @override
    def unread(self) -> int:
        wanted = {
            "room": {"timeline": {"limit": 1}, "state": {"lazy_load_members": True}}
        }
        parser = urlencode({"filter": json.dumps(wanted), "timeout": "0"})
        response = self._as(READERS[1], "GET", f"sync?{parser}")
        room = response["rooms"]["join"][self._talk]
        count: int = room["unread_notifications"]["notification_count"]
        return count

    @override
    def prepare_mail(self) -> None:
        # Synapse mails once for a room and then waits ten minutes: use a fresh one each
        # time.
        self._mailed = self._room(MAILED)

    @override
    def mail_out(self) -> None:
        self._send(WRITERS[0], self._mailed, "There is news.")

    @property
    @override
    def mail_folder(self) -> Path:
        return self._folder / "mails"


if __name__ == "__main__":
    folder, kind, interpreter = sys.argv[1:]
    run_commands(
        SynapseSystem(Path(folder), servers=kind == "servers", python=interpreter)
    )
