"""The embedded suite: every service in this process, on SQLite and a Maildir."""

import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from typing_extensions import override

from clp_chassis.bootstrap import Process, ProcessContext
from clp_chassis.clock import now
from clp_chassis.concurrency.rate_limiter import DEFAULT_LIMIT, RateLimit
from clp_chassis.inprocess import reset
from clp_chassis.persistence.database import Database, migrate
from clp_chassis.runner import ContainerGroup
from clp_chassis.settings import read_settings
from clp_deploy.keys import write_keys
from clp_deploy.processes import PROCESS_TYPES
from clp_notifications.delivery.claims import sweep
from clp_portal.service import build as build_portal
from clp_portal.settings import Settings as PortalSettings
from clp_suite.development_sign_in import DevelopmentSignIn, sample_choices
from clp_suite.environment import SuiteEnvironment
from clp_suite.server_process import free_ports
from clp_suite.suite import Suite

DELIVERY: Final = "delivery"
PORTAL: Final = "portal"
# Every wait of the suite adds up these intervals, and no server is there to spare.
MIN_INTERVAL_S: Final = 0.01


class EmbeddedSuite(Suite):
    """All services in one process, serving RPC, events and HTTP.

    Args:
        data_dir: databases, index, files and mails; a later run on the same folder
            continues with them.
        mail_window_s: the window of rule 40 in seconds.
        portal: whether the portal runs too, with the development sign-in: anybody who
            reaches the loopback address can be anybody of the sample world.
        portal_port: the port of the portal, 0 for a free one.
        rate_limit: of each person and service; `NO_LIMIT` lifts it.
        attachment_policy: the file with types and sizes of attachments; without one the
            published ones.
    """

    def __init__(
        self,
        data_dir: Path | str,
        *,
        mail_window_s: float = 0.0,
        portal: bool = False,
        portal_port: int = 0,
        rate_limit: RateLimit = DEFAULT_LIMIT,
        attachment_policy: Path | str = "",
    ) -> None:
        super().__init__(data_dir)
        messages_port, notifications_port, free_port = free_ports(3)
        self._has_portal = portal
        self._rate_limit = rate_limit
        self._broker = f"suite-{secrets.token_hex(8)}"
        self._environment = SuiteEnvironment(
            broker_url=f"inprocess://{self._broker}/",
            data_dir=self.data_dir,
            database_urls={
                process_type.service: (
                    f"sqlite:///{self.data_dir / process_type.service}.db"
                )
                for process_type in PROCESS_TYPES
                if process_type.migrates
            }
            | {PORTAL: f"sqlite:///{self.data_dir / PORTAL}.db"},
            messages_port=messages_port,
            notifications_port=notifications_port,
            portal_port=portal_port or free_port,
            smtp_url=f"maildir://{self.data_dir / 'mails'}",
            mail_window_s=mail_window_s,
            search_workers=0,
            attachment_policy=str(attachment_policy),
        )
        self._processes: list[Process] = []
        self._group: ContainerGroup | None = None

    @override
    def start(self) -> None:
        """Start the services; they accept calls when this returns."""
        self.create_data_dir()
        keys = write_keys(self._environment.keys_dir)
        self._processes = list(self._build_processes())
        self._group = ContainerGroup(
            [
                (service, dict(process.config))
                for process in self._processes
                for service in process.services
            ]
        )
        self._group.start()
        self._open(self._environment.broker_url, keys)

    def _build_processes(self) -> Iterator[Process]:
        environment = self._environment
        for process_type in PROCESS_TYPES:
            if process_type.name == PORTAL:
                continue
            if process_type.migrates:
                url = environment.database_urls[process_type.service]
                migrate(url, process_type.package)
            context = ProcessContext.from_files(
                process_type.service,
                environment.broker_url,
                environment.keys_dir / process_type.service,
            )
            if process_type.name == DELIVERY:
                self._release_claims()
            context = replace(
                context, min_interval_s=MIN_INTERVAL_S, rate_limit=self._rate_limit
            )
            yield process_type.build(environment.environ(), context)
        if self._has_portal:
            yield self._build_portal()

    def _build_portal(self) -> Process:
        environment = self._environment
        migrate(environment.database_urls[PORTAL], "clp_portal")
        context = ProcessContext.from_files(
            PORTAL, environment.broker_url, environment.keys_dir / PORTAL
        )
        settings = read_settings(PortalSettings, PORTAL, environment.environ())
        sign_in = DevelopmentSignIn(
            sample_choices(),
            broker_url=environment.broker_url,
            http_address=settings.http_address,
        )
        return build_portal(settings, context, sign_in=sign_in)

    def _release_claims(self) -> None:
        """Release claims of an earlier run at once: no other process can hold one."""
        database = Database(self._environment.database_urls["notifications"])
        with database.writing() as session:
            while sweep(session, now(), all_workers_gone=True):
                pass
        database.close()

    @override
    def stop(self) -> None:
        """Stop the services after their running tasks."""
        if self._group is not None:
            self._group.stop()
            self._group = None
        for process in self._processes:
            process.close()
        self._processes = []
        reset(self._broker)

    @property
    def broker_url(self) -> str:
        """The URL of the in-process broker."""
        return self._environment.broker_url

    @property
    @override
    def http_url(self) -> str:
        """The base URL of uploads and downloads."""
        return f"http://127.0.0.1:{self._environment.messages_port}"

    @property
    def portal_url(self) -> str:
        """The address of the portal, where the suite was made with one."""
        return f"http://127.0.0.1:{self._environment.portal_port}"

    @property
    @override
    def unsubscribe_url(self) -> str:
        """The base URL of the unsubscribe pages."""
        return f"http://127.0.0.1:{self._environment.notifications_port}"

    @property
    @override
    def mail_folder(self) -> Path:
        """The ``new`` folder of the Maildir."""
        return self.data_dir / "mails" / "new"
