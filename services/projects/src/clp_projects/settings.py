"""What an operator sets for `projects`."""

from dataclasses import dataclass

from clp_chassis.settings import ProcessSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(ProcessSettings):
    """Read from ``CLP_PROJECTS_…``, or ``CLP_…`` where services share a value."""

    database_url: str = "sqlite:///projects.db"
