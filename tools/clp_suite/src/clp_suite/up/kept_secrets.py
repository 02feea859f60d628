"""Secrets that are made once: a data folder that lacks one it was used with is refused.

A new one in its place would start as well; then callers, links of old mails and bounces
are refused, and nobody knows why.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from clp_contracts.broker_users import CLIENTS
from clp_deploy.keys import HOLDERS, TRUSTED
from clp_suite.up.host import BROKER, SHARED_SECRETS

# A line for each: the variable that names another one, and the path of the file. It
# lies outside of the folders that it lists, and is saved with the files.
LIST: Final = "secrets.list"
# Roles and services get their passwords anew at each start of the servers.
NEEDED: Final = {
    **{f"CLP_{user}_BROKER_URL".upper(): f"{user}_broker_password" for user in CLIENTS},
    "CLP_PROJECTS_DATABASE_URL": "postgres_superuser_password",
    **{variable: variable.lower() for variable in SHARED_SECRETS},
}


def list_secrets(data_dir: Path) -> None:
    """List the secrets that the folder has, for the next start."""
    lines = (
        f"{variable} {path}\n"
        for variable, path in _needed()
        if (data_dir / path).exists()
    )
    (data_dir / LIST).write_text("".join(lines))


def refuse_lost_secrets(data_dir: Path, environ: Mapping[str, str]) -> None:
    """Refuse a folder that was used with a secret that it lacks.

    Raises:
        SystemExit: with the variable, the file, and what to do.
    """
    try:
        listed = (data_dir / LIST).read_text().splitlines()
    except FileNotFoundError:
        return
    lost = [
        (variable, data_dir / path)
        for variable, _, path in (line.partition(" ") for line in listed)
        if not _is_named(variable, environ) and not (data_dir / path).exists()
    ]
    if lost:
        (variable, path), *more = lost
        others = f" and {len(more)} more of {data_dir / LIST}" if more else ""
        raise SystemExit(
            f"{variable}: {path}{others} is missing; expected the file that the folder"
            " was used with: restore it from the backup, or have new ones made by"
            f" `rm {data_dir / LIST}`"
        )


def _needed() -> Iterator[tuple[str, str]]:
    for holder, issuers in HOLDERS.items():
        for name in (*(f"{issuer}.pem" for issuer in issuers), TRUSTED):
            yield f"CLP_{holder}_KEYS_DIR".upper(), f"keys/{holder}/{name}"
    for variable, name in NEEDED.items():
        yield variable, f"secrets/{name}"


def _is_named(variable: str, environ: Mapping[str, str]) -> bool:
    shared = BROKER if variable.endswith("_BROKER_URL") else variable
    return not environ.keys().isdisjoint({variable, f"{variable}_FILE", shared})
