"""What an operator sets for `messages`."""

from dataclasses import dataclass

from clp_chassis.settings import ProcessSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(ProcessSettings):
    """Read from ``CLP_MESSAGES_…``, or ``CLP_…`` where services share a value.

    With port 0 in ``http_address`` the system picks one; ``http_address_file`` then
    names a file in which the process notes ``HOST:PORT`` once it listens.
    """

    database_url: str = "sqlite:///messages.db"
    # s3://BUCKET/PREFIX?endpoint=URL&region=NAME; without it files lie in files_dir.
    files_url: str = ""
    files_dir: str = "files"
    # tcp://HOST:PORT or unix:///PATH of a clamd; without it no file is scanned.
    scanner_url: str = ""
    scanner_timeout_s: float = 10.0
    http_address: str = "127.0.0.1:8000"
    http_address_file: str = ""
