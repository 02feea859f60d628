"""Environment variables of a suite's processes, for one process or many."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from clp_contracts.broker_users import SERVICES

# A suite holds few messages and starts often.
SHARDS: Final = 4
ACCESS_LEASE_S: Final = 0.3
# The Maildir of incoming mail.
INCOMING: Final = "incoming"
SUITE_KEY: Final = "a-suite-on-this-host-keeps-no-secrets"


def without_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """An environment without settings: those of whoever starts a suite are not its."""
    return {name: v for name, v in environ.items() if not name.startswith("CLP_")}


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteEnvironment:
    """Addresses and folders of one suite.

    ``broker_urls`` maps a service to its own broker URL where each has a broker user.
    """

    broker_url: str
    data_dir: Path
    database_urls: Mapping[str, str]
    messages_port: int
    notifications_port: int
    portal_port: int = 0
    oidc_issuer: str = ""
    smtp_url: str
    mail_window_s: float
    search_workers: int
    search_url: str = ""
    attachment_policy: str = ""
    broker_urls: Mapping[str, str] = field(default_factory=dict)

    @property
    def keys_dir(self) -> Path:
        """The folder of passport keys, with a folder for each holder."""
        return self.data_dir / "keys"

    def environ(self) -> dict[str, str]:
        """The environment variables of every service."""
        loopback = "127.0.0.1"
        databases = {
            f"CLP_{service.upper()}_DATABASE_URL": url
            for service, url in self.database_urls.items()
        }
        databases |= {
            f"CLP_{service.upper()}_BROKER_URL": url
            for service, url in self.broker_urls.items()
        }
        databases |= {
            f"CLP_{service.upper()}_KEYS_DIR": str(self.keys_dir / service)
            for service in SERVICES
        }
        return databases | {
            "CLP_BROKER_URL": self.broker_url,
            # Shorter than by default: the stories withdraw partners often.
            "CLP_MESSAGES_ACCESS_LEASE_S": f"{ACCESS_LEASE_S:g}",
            "CLP_SEARCH_ACCESS_LEASE_S": f"{ACCESS_LEASE_S:g}",
            "CLP_MESSAGES_ATTACHMENT_POLICY": self.attachment_policy,
            "CLP_MESSAGES_FILES_DIR": str(self.data_dir / "files"),
            "CLP_MESSAGES_HTTP_ADDRESS": f"{loopback}:{self.messages_port}",
            "CLP_NOTIFICATIONS_HTTP_ADDRESS": f"{loopback}:{self.notifications_port}",
            "CLP_NOTIFICATIONS_SMTP_URL": self.smtp_url,
            "CLP_NOTIFICATIONS_MAIL_WINDOW_S": f"{self.mail_window_s:g}",
            "CLP_NOTIFICATIONS_BOUNCE_DIR": str(self.data_dir / INCOMING),
            "CLP_NOTIFICATIONS_HELP_ADDRESS": "help@clp.example",
            "CLP_NOTIFICATIONS_SECRET": SUITE_KEY,
            "CLP_PORTAL_HTTP_ADDRESS": f"{loopback}:{self.portal_port}",
            "CLP_PORTAL_PUBLIC_URL": f"http://{loopback}:{self.portal_port}",
            "CLP_PORTAL_MESSAGES_URL": f"http://{loopback}:{self.messages_port}",
            "CLP_PORTAL_OIDC_ISSUER": self.oidc_issuer,
            "CLP_PORTAL_SECRET": SUITE_KEY,
            "CLP_SEARCH_SECRET": SUITE_KEY,
            "CLP_SEARCH_DATA_DIR": str(self.data_dir / "index"),
            **({"CLP_SEARCH_ENGINE_URL": self.search_url} if self.search_url else {}),
            "CLP_SEARCH_WORKERS": str(self.search_workers),
            "CLP_SEARCH_SHARDS": str(SHARDS),
        }
