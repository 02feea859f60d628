"""Settings of `projects`."""

from dataclasses import dataclass

from clp_chassis.settings import ProcessSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(ProcessSettings):
    """Settings from ``CLP_PROJECTS_…``, or ``CLP_…`` for values of all services."""

    database_url: str = "sqlite:///projects.db"
