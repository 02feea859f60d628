"""Settings of `projects`."""

from dataclasses import dataclass
from typing import Annotated

from clp_chassis.setting_kinds import DATABASE
from clp_chassis.settings import ProcessSettings, Setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(ProcessSettings):
    """Settings from ``CLP_PROJECTS_…``, or ``CLP_…`` for those of every process."""

    database_url: Annotated[
        str, Setting("the database of the service", DATABASE, is_secret=True)
    ]
