"""Where everything of one host is: servers, keys, ports, folders, environments."""

import os
import socket
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from clp_deploy.broker_permissions import DIRECTORY, GATEWAY, OPERATIONS
from clp_deploy.database_roles import KEEPERS
from clp_deploy.keys import SERVICES, write_keys
from clp_deploy.processes import ProcessType
from clp_deploy.secret_files import Authority, Passwords
from clp_suite.environment import Blueprint
from clp_suite.server_process import free_ports
from clp_suite.up.servers import PrivateServers

BROKER: Final = "CLP_BROKER_URL"
MAIL: Final = "CLP_NOTIFICATIONS_MAIL_URL"
SHARED_SECRETS: Final = ("CLP_NOTIFICATIONS_SECRET", "CLP_SEARCH_SECRET")
MESSAGES_PORT: Final = 8000
NOTIFICATIONS_PORT: Final = 8001
OBSERVE: Final = "CLP_OBSERVE_ADDRESS"
SINK: Final = "sink"


@dataclass(frozen=True, slots=True)
class House:
    """What every process of this host needs to know.

    ``broker_urls`` has an address for each service and outsider; ``sink`` is the
    command of the mail catcher, if there is one; ``revive`` starts servers of our own
    again that died, and says which.
    """

    data_dir: Path
    environ: Mapping[str, str]
    broker_urls: Mapping[str, str]
    sink: tuple[str, ...]
    revive: Callable[[], list[str]] = list

    def environment_of(self, process_type: ProcessType, copy: int) -> dict[str, str]:
        """The environment of one process.

        No other service's passwords are in it; copies share neither folders nor ports.
        """
        others = tuple(
            f"CLP_{name.upper()}_"
            for name in self.broker_urls
            if name != process_type.service
        )
        environ = {k: v for k, v in self.environ.items() if not k.startswith(others)}
        (port,) = free_ports(1)
        environ[OBSERVE] = f"127.0.0.1:{port}"
        if copy > 0:
            prefix = f"CLP_{process_type.service.upper()}"
            environ[f"{prefix}_HTTP_ADDRESS"] = "127.0.0.1:0"
            environ[f"{prefix}_DATA_DIR"] = str(self.data_dir / f"index.{copy}")
        return environ


def named_databases(environ: Mapping[str, str]) -> dict[str, str]:
    """The databases that the environment names; of all services, or of none.

    Raises:
        SystemExit: when it names some and leaves others out.
    """
    names = {keeper: f"CLP_{keeper.upper()}_DATABASE_URL" for keeper in KEEPERS}
    found = {keeper: environ[name] for keeper, name in names.items() if name in environ}
    if found and len(found) < len(names):
        lacking = ", ".join(sorted(names[k] for k in names.keys() - found.keys()))
        raise SystemExit(f"name every database or none; missing: {lacking}")
    return found


def named_brokers(environ: Mapping[str, str]) -> dict[str, str]:
    """The broker's address for each user, as far as the environment names any.

    Raises:
        SystemExit: when some users are left without one.
    """
    users = (*SERVICES, GATEWAY, DIRECTORY, OPERATIONS)
    found = {
        user: url
        for user in users
        if (url := environ.get(f"CLP_{user.upper()}_BROKER_URL") or environ.get(BROKER))
    }
    if found and len(found) < len(users):
        lacking = ", ".join(sorted(set(users) - found.keys()))
        raise SystemExit(f"name {BROKER}, or one for each user; missing: {lacking}")
    return found


def furnish(data_dir: Path, environ: Mapping[str, str], cleanup: ExitStack) -> House:
    """Start what the environment does not name, and say where everything is."""
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o755)
    authority = Authority(data_dir / "tls").write()
    databases, brokers = named_databases(environ), named_brokers(environ)
    servers = PrivateServers(
        _folder_for_servers(data_dir, cleanup), data_dir, authority
    )
    cleanup.callback(servers.stop)
    databases = databases or servers.start_postgres()
    brokers = brokers or servers.start_rabbit()
    write_keys(data_dir / "keys")
    sink: tuple[str, ...] = ()
    mail_url = environ.get(MAIL, "")
    if not mail_url:
        sink, mail_url = _mail_catcher(data_dir, authority)
    plan = Blueprint(
        broker_url=brokers[OPERATIONS],
        data_dir=data_dir,
        database_urls=databases,
        messages_port=_port(MESSAGES_PORT),
        notifications_port=_port(NOTIFICATIONS_PORT),
        mail_url=mail_url,
        mail_window_s=5.0,
        search_workers=1,
        broker_urls={service: brokers[service] for service in SERVICES},
    )
    kept = Passwords(data_dir / "secrets")
    own = {name: kept.get(name.lower()) for name in SHARED_SECRETS}
    # What the user says wins, but for the addresses, which were read above.
    said = {k: v for k, v in environ.items() if k != BROKER}
    known = plan.environ() | own | said
    known.pop(BROKER, None)
    return House(data_dir, known, brokers, sink, servers.revive)


def _mail_catcher(data_dir: Path, authority: Authority) -> tuple[tuple[str, ...], str]:
    certificate = authority.issue(data_dir / "tls")
    (port,) = free_ports(1)
    command = ("clp_suite.smtp_sink", str(port), str(data_dir / SINK))
    return (
        (*command, "--certificate", str(certificate)),
        f"smtps://localhost:{port}?ca={authority.certificate}",
    )


def _folder_for_servers(data_dir: Path, cleanup: ExitStack) -> Path:
    """A folder that the accounts of the servers can reach."""
    inside = data_dir / "servers"
    closed = any(
        not parent.stat().st_mode & 0o001 for parent in inside.resolve().parents
    )
    if os.geteuid() != 0 or not closed:
        inside.mkdir(exist_ok=True)
        return inside
    elsewhere = Path(
        cleanup.enter_context(tempfile.TemporaryDirectory(prefix="clp-up-"))
    )
    elsewhere.chmod(0o755)
    return elsewhere


def _port(preferred: int) -> int:
    """The usual port, or a free one where somebody else has it."""
    try:
        socket.create_server(("127.0.0.1", preferred)).close()
    except OSError:
        return free_ports(1)[0]
    return preferred
