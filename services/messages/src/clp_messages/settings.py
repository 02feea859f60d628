"""Settings of `messages`."""

from dataclasses import dataclass

from clp_chassis.settings import ProcessSettings
from clp_contracts.facts_cache import LEASE_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(ProcessSettings):
    """Read from ``CLP_MESSAGES_…``, or ``CLP_…`` where services share a value.

    With port 0 in ``http_address`` the system picks a port; the process writes
    ``HOST:PORT`` to ``http_address_file`` once it listens.
    """

    database_url: str = "sqlite:///messages.db"
    # s3://BUCKET/PREFIX?endpoint=URL&region=NAME; empty: files are stored in files_dir.
    files_url: str = ""
    files_dir: str = "files"
    # tcp://HOST:PORT or unix:///PATH of a clamd; empty: files are not scanned.
    scanner_url: str = ""
    scanner_timeout_s: float = 10.0
    # A TOML or JSON file with the types and sizes of attachments; empty: as published.
    attachment_policy: str = ""
    # A folder with templates KIND.txt that replace the default texts of the robot.
    robot_texts_dir: str = ""
    # Seconds for which facts about access are leased; its end may wait so long.
    access_lease_s: float = LEASE_S
    http_address: str = "127.0.0.1:8000"
    http_address_file: str = ""
