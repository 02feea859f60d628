"""`make up` runs everything: a message becomes a mail, a killed process restarts."""

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import urljoin

import pytest
import requests

from clp_contracts.errors import CallFailed, Refused
from clp_deploy.database_roles import DATABASE_SERVICES
from clp_deploy.processes import PROCESS_TYPES
from clp_suite.up.__main__ import main
from clp_suite.up.host import Host, configured_brokers, configured_databases
from tests.deploy.running import UpSystem, until

pytestmark = pytest.mark.timeout(400)


@pytest.mark.broker
def test_every_process_type_runs_once(up: UpSystem) -> None:
    types = {f"{t.name}.0" for t in PROCESS_TYPES}
    assert set(up.pids) == types | {"sink", "provider"}


@pytest.mark.broker
def test_a_person_signs_in_at_the_local_provider(up: UpSystem) -> None:
    portal = up.address("CLP_PORTAL_PUBLIC_URL")
    with requests.Session() as browser:
        login = follow(browser, browser.get(f"{portal}/", allow_redirects=False))
        assert login.ok, up.log[-3000:]
        assert login.url.startswith("http://localhost:")
        reply = browser.post(login.url, data={"sub": "ivy"}, allow_redirects=False)
        page = follow(browser, reply)
    assert page.ok, up.log[-3000:]
    assert page.url == f"{portal}/"
    assert "Ivy Lane" in page.text


def follow(browser: requests.Session, response: requests.Response) -> requests.Response:
    """Follow redirects as browsers do, which send secure cookies to loopback hosts."""
    while response.is_redirect:
        for cookie in browser.cookies:
            cookie.secure = False
        place = urljoin(response.url, response.headers["Location"])
        response = browser.get(place, allow_redirects=False)
    return response


@pytest.mark.broker
def test_a_message_becomes_a_mail(up: UpSystem) -> None:
    up.person("nat").projects.follow(project="p1")
    up.person("ivy").messages.post(
        channel="p1/direct/north", text="Hello @Nat Moreau", key="up-1"
    )
    until(lambda: any(b"Hello" in mail for mail in up.mails()))
    (mail,) = [mail for mail in up.mails() if b"Hello" in mail]
    assert b'To: "Nat Moreau" <nat@north.example>' in mail
    until(lambda: up.person("ivy").search.find(query="hello", project="p1").hits)


@pytest.mark.broker
def test_a_killed_process_restarts_and_no_mail_is_lost(up: UpSystem) -> None:
    killed = {name: up.kill(name) for name in ("messages.0", "delivery.0")}
    up.person("ivy").messages.post(
        channel="p1/direct/north", text="still @Nat Moreau", key="up-2"
    )
    until(lambda: all(up.pids.get(name, pid) != pid for name, pid in killed.items()))
    until(lambda: any(b"still" in mail for mail in up.mails()))
    assert "messages.0 ended (SIGKILL), restarting in 0.5 s" in up.log


@pytest.mark.broker
def test_a_killed_server_restarts(up: UpSystem) -> None:
    posted = up.person("ivy").messages.post(
        channel="p1/broadcast", text="kept", key="up-3"
    )

    def is_shown() -> bool:
        # A service may respond before each of its connections is restored.
        with suppress(Refused, CallFailed):
            page = up.person("ivy").messages.page(channel="p1/broadcast")
            return posted.id in [message.id for message in page.messages]
        return False

    data = f"{up.data}/servers/postgres/data"
    (server,) = (pid for pid in up.family() if data in command_of(pid))
    os.kill(server, signal.SIGKILL)
    until(lambda: "PrivatePostgres had ended and is restarted" in up.log)
    until(is_shown)


def command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


@pytest.mark.broker
def test_a_log_line_starts_with_its_process_and_holds_no_secret(up: UpSystem) -> None:
    lines = up.log.splitlines()
    for process_type in PROCESS_TYPES:
        assert any(
            line.startswith(f"{process_type.name}.0 ") and "running:" in line
            for line in lines
        )
    secrets = [path.read_text() for path in (up.data / "secrets").iterdir()]
    assert len(secrets) > 10
    assert not [secret for secret in secrets if secret in up.log]


@pytest.mark.broker
def test_no_process_has_the_passwords_of_another_service(up: UpSystem) -> None:
    services = {t.name: t.service for t in PROCESS_TYPES}
    owners = {f"{service}_owner" for service in services.values()}
    for name, pid in up.pids.items():
        environ = Path(f"/proc/{pid}/environ").read_bytes().decode()
        # Of the sink and the local provider it is nobody's.
        own = services.get(name.partition(".")[0])
        for other in ({*services.values()} - {own}) | owners:
            for kind in ("broker", "database"):
                secret = up.data / "secrets" / f"{other}_{kind}_password"
                assert not secret.exists() or secret.read_text() not in environ


def host(tmp_path: Path) -> Host:
    environ = {
        "CLP_MESSAGES_X": "1",
        "CLP_SEARCH_DATA_DIR": "index",
        "CLP_KEYS_DIR": "k",
    }
    return Host(tmp_path, environ, {"messages": "", "search": ""}, ())


def test_copies_share_neither_folder_nor_port(tmp_path: Path) -> None:
    search = next(t for t in PROCESS_TYPES if t.name == "search")
    first, second = (host(tmp_path).environment_of(search, copy) for copy in (0, 1))
    assert first["CLP_SEARCH_DATA_DIR"] != second["CLP_SEARCH_DATA_DIR"]
    assert "CLP_SEARCH_HTTP_ADDRESS" not in second
    assert first["CLP_OBSERVE_ADDRESS"] != second["CLP_OBSERVE_ADDRESS"]
    assert "CLP_MESSAGES_X" not in first | second


def test_servers_of_the_environment_are_used() -> None:
    environ = {"CLP_BROKER_URL": "amqp://b", "CLP_SEARCH_BROKER_URL": "amqp://s"}
    brokers = configured_brokers(environ)
    assert (brokers["search"], brokers["messages"]) == ("amqp://s", "amqp://b")
    assert configured_brokers({}) == {}
    assert configured_databases({}) is None


def test_a_database_is_migrated_by_the_role_that_the_environment_names() -> None:
    environ = {f"CLP_{s.upper()}_DATABASE_URL": s for s in DATABASE_SERVICES}
    environ["CLP_MESSAGES_MIGRATION_URL"] = "owner"
    databases = configured_databases(environ)
    assert databases is not None
    assert databases.serving["messages"] == "messages"
    assert databases.migrating["messages"] == "owner"
    assert databases.migrating["projects"] == databases.serving["projects"]


@pytest.mark.parametrize(
    ("read", "named", "lacking"),
    [
        (configured_brokers, "CLP_SEARCH_BROKER_URL", "missing: directory, gateway"),
        (configured_databases, "CLP_MESSAGES_DATABASE_URL", "missing: CLP_NOTIF"),
    ],
)
def test_an_incomplete_list_of_servers_is_refused(
    read: Callable[[dict[str, str]], object], named: str, lacking: str
) -> None:
    with pytest.raises(SystemExit, match=lacking):
        read({named: "x"})


@pytest.mark.parametrize(
    ("arguments", "output"),
    [
        (["--help"], "make up DELIVERY=3"),
        (["start", "gateway=2"], "the types are projects, messages"),
        (["scale", "delivery=many"], "is not TYPE=NUMBER"),
        (["scale", "delivery=65"], "0 to 64"),
    ],
)
def test_the_command_documents_its_arguments(
    arguments: list[str],
    output: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sys.argv", ["up", *arguments])
    with pytest.raises(SystemExit):
        main()
    captured = capsys.readouterr()
    assert output in captured.out + captured.err
