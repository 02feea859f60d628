"""What an operator sets for `projects`."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Read from ``CLP_PROJECTS_…``, or ``CLP_…`` where services share a value."""

    broker_url: str = "amqp://guest:guest@127.0.0.1:5672//"
    database_url: str = "sqlite:///projects.db"
    keys_dir: str = "keys"
