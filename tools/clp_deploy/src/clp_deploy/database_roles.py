"""A role and a database for each service that keeps rows; nobody else gets in.

Besides these there is `scaling`, which an autoscaler logs in with. It may ask how many
mails are due, and nothing else: not whose, not of what.
"""

from typing import Final

from clp_deploy.processes import PROCESS_TYPES

KEEPERS: Final = tuple(t.service for t in PROCESS_TYPES if t.migrates)
# Search keeps rows where its index is in PostgreSQL (`CLP_SEARCH_ENGINE_URL`).
SEARCH: Final = "search"
OWNERS: Final = (*KEEPERS, SEARCH)
SCALING: Final = "scaling"
SCALED: Final = "notifications"
ROLES: Final = (*OWNERS, SCALING)
# What the autoscaler asks.
DUE_MAILS: Final = "count_due_mails"

HEAD: Final = """\
-- Roles and databases, one of each for every service that keeps rows, and a role for
-- the autoscaler. Written by `make deploy-files` from the list of process types; may be
-- run again and again.
--
--   export CLP_SECRETS_DIR=/etc/clp/secrets
--   psql -v ON_ERROR_STOP=1 -f deploy/postgresql/roles.sql
--
-- as a superuser. The passwords are read from files `ROLE_database_password`.
\\set QUIET on
-- Whoever has no database of his own has no business in the shared ones.
REVOKE ALL ON DATABASE postgres FROM PUBLIC;
REVOKE ALL ON DATABASE template1 FROM PUBLIC;
"""

ROLE: Final = """
\\set password `cat "$CLP_SECRETS_DIR/{name}_database_password"`
SELECT 'CREATE ROLE {name}' WHERE NOT EXISTS
  (SELECT FROM pg_roles WHERE rolname = '{name}') \\gexec
ALTER ROLE {name} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION
  NOBYPASSRLS PASSWORD :'password';
"""

DATABASE: Final = """\
SELECT 'CREATE DATABASE {name} OWNER {name}' WHERE NOT EXISTS
  (SELECT FROM pg_database WHERE datname = '{name}') \\gexec
REVOKE ALL ON DATABASE {name} FROM PUBLIC;
GRANT CONNECT ON DATABASE {name} TO {name};
"""

# The function may be there before the table that it counts.
NUMBER: Final = """\
GRANT CONNECT ON DATABASE {scaled} TO {name};
\\connect {scaled}
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
SET ROLE {scaled};
CREATE OR REPLACE FUNCTION public.{function}() RETURNS bigint
  LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
  AS $$ BEGIN RETURN (SELECT count(*) FROM public.mails
    WHERE due_at <= now() - interval '5 seconds'); END $$;
REVOKE ALL ON FUNCTION public.{function}() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.{function}() TO {name};
RESET ROLE;
"""


def roles_sql() -> str:
    """A script for psql."""
    owners = "".join((ROLE + DATABASE).format(name=name) for name in OWNERS)
    scaling = (ROLE + NUMBER).format(name=SCALING, scaled=SCALED, function=DUE_MAILS)
    return HEAD + owners + scaling
