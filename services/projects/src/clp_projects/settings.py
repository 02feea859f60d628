"""Settings of `projects`."""

from dataclasses import dataclass

from clp_chassis.settings import DatabaseUrl, ProcessSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(ProcessSettings):
    """Settings from ``CLP_PROJECTS_…``, or ``CLP_…`` for those of every process."""

    database_url: DatabaseUrl
