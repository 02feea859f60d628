"""A role and a database for each service that keeps rows; nobody else gets in."""

from typing import Final

from clp_suite.processes import PROCESS_TYPES

KEEPERS: Final = tuple(t.service for t in PROCESS_TYPES if t.migrates)

HEAD: Final = """\
-- Roles and databases, one of each for every service that keeps rows. Written by
-- `make deploy-files` from the list of process types; may be run again and again.
--
--   export CLP_SECRETS_DIR=/etc/clp/secrets
--   psql -v ON_ERROR_STOP=1 -f deploy/postgresql/roles.sql
--
-- as a superuser. The passwords are read from files `SERVICE_database_password`.
\\set QUIET on
-- Whoever has no database of his own has no business in the shared ones.
REVOKE ALL ON DATABASE postgres FROM PUBLIC;
REVOKE ALL ON DATABASE template1 FROM PUBLIC;
"""

EACH: Final = """
\\set password `cat "$CLP_SECRETS_DIR/{name}_database_password"`
SELECT 'CREATE ROLE {name}' WHERE NOT EXISTS
  (SELECT FROM pg_roles WHERE rolname = '{name}') \\gexec
ALTER ROLE {name} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION
  NOBYPASSRLS PASSWORD :'password';
SELECT 'CREATE DATABASE {name} OWNER {name}' WHERE NOT EXISTS
  (SELECT FROM pg_database WHERE datname = '{name}') \\gexec
REVOKE ALL ON DATABASE {name} FROM PUBLIC;
GRANT CONNECT ON DATABASE {name} TO {name};
"""


def roles_sql() -> str:
    """A script for psql."""
    return HEAD + "".join(EACH.format(name=name) for name in KEEPERS)
