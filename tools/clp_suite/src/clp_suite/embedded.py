"""The embedded suite: every service in this process, SQLite, Maildir, no broker."""

import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from typing_extensions import override

from clp_chassis.bootstrap import Process, Surroundings
from clp_chassis.clock import now
from clp_chassis.inprocess import forget
from clp_chassis.persistence.database import Database, migrate
from clp_chassis.runner import ContainerGroup
from clp_deploy.keys import write_keys
from clp_deploy.processes import PROCESS_TYPES
from clp_notifications.delivery.claims import sweep
from clp_suite.environment import Blueprint
from clp_suite.server_process import free_ports
from clp_suite.suite import Suite

DELIVERY: Final = "delivery"
# Nothing is far away here, and who waits for the suite waits for each of its turns.
BREATH_S: Final = 0.01


class EmbeddedSuite(Suite):
    """All services in one process, serving RPC, events and HTTP.

    ``data_dir`` keeps databases, index, files and mails; starting again on it goes on
    where the last run ended. ``mail_window_s`` is the window of rule 40 in seconds.
    """

    def __init__(self, data_dir: Path | str, *, mail_window_s: float = 0.0) -> None:
        super().__init__(data_dir)
        messages_port, notifications_port = free_ports(2)
        self._broker = f"suite-{secrets.token_hex(8)}"
        self._blueprint = Blueprint(
            broker_url=f"inprocess://{self._broker}/",
            data_dir=self.data_dir,
            database_urls={
                known.service: f"sqlite:///{self.data_dir / known.service}.db"
                for known in PROCESS_TYPES
                if known.migrates
            },
            messages_port=messages_port,
            notifications_port=notifications_port,
            mail_url=f"maildir://{self.data_dir / 'mails'}",
            mail_window_s=mail_window_s,
            search_workers=0,
        )
        self._processes: list[Process] = []
        self._group: ContainerGroup | None = None

    @override
    def start(self) -> None:
        """Start the services; they answer when this returns."""
        self.close_data_dir()
        issuer = write_keys(self._blueprint.keys_dir)
        self._processes = list(self._built())
        self._group = ContainerGroup(
            [
                (service, dict(process.config))
                for process in self._processes
                for service in process.services
            ]
        )
        self._group.start()
        self._open(self._blueprint.broker_url, issuer)

    def _built(self) -> Iterator[Process]:
        plan = self._blueprint
        for process_type in PROCESS_TYPES:
            if process_type.migrates:
                url = plan.database_urls[process_type.service]
                migrate(url, process_type.package)
            surroundings = Surroundings.from_files(
                process_type.service, plan.broker_url, plan.keys_dir
            )
            if process_type.name == DELIVERY:
                self._free_claims()
            surroundings = replace(surroundings, breath_s=BREATH_S)
            yield process_type.build(plan.environ(), surroundings)

    def _free_claims(self) -> None:
        """Whoever held a mail before this start is gone: no lease need run out."""
        database = Database(self._blueprint.database_urls["notifications"])
        with database.writing() as session:
            while sweep(session, now(), everybody_left=True):
                pass
        database.close()

    @override
    def stop(self) -> None:
        """Stop the services after the work in hand."""
        if self._group is not None:
            self._group.stop()
            self._group = None
        for process in self._processes:
            process.close()
        self._processes = []
        forget(self._broker)

    @property
    def broker_url(self) -> str:
        """The in-process broker, for who wants to listen."""
        return self._blueprint.broker_url

    @property
    @override
    def http_url(self) -> str:
        """Where attachments are uploaded and downloaded."""
        return f"http://127.0.0.1:{self._blueprint.messages_port}"

    @property
    @override
    def stop_pages_url(self) -> str:
        """Where the links lead that stop mails."""
        return f"http://127.0.0.1:{self._blueprint.notifications_port}"

    @property
    @override
    def mail_folder(self) -> Path:
        """The Maildir's folder of mails."""
        return self.data_dir / "mails" / "new"
