-- Roles and databases, one of each for every service that keeps rows, and a role for
-- the autoscaler. Written by `make deploy-files` from the list of process types; may be
-- run again and again.
--
--   export CLP_SECRETS_DIR=/etc/clp/secrets
--   psql -v ON_ERROR_STOP=1 -f deploy/postgresql/roles.sql
--
-- as a superuser. The passwords are read from files `ROLE_database_password`.
\set QUIET on
-- Whoever has no database of his own has no business in the shared ones.
REVOKE ALL ON DATABASE postgres FROM PUBLIC;
REVOKE ALL ON DATABASE template1 FROM PUBLIC;

\set password `cat "$CLP_SECRETS_DIR/projects_database_password"`
SELECT 'CREATE ROLE projects' WHERE NOT EXISTS
  (SELECT FROM pg_roles WHERE rolname = 'projects') \gexec
ALTER ROLE projects LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION
  NOBYPASSRLS PASSWORD :'password';
SELECT 'CREATE DATABASE projects OWNER projects' WHERE NOT EXISTS
  (SELECT FROM pg_database WHERE datname = 'projects') \gexec
REVOKE ALL ON DATABASE projects FROM PUBLIC;
GRANT CONNECT ON DATABASE projects TO projects;

\set password `cat "$CLP_SECRETS_DIR/messages_database_password"`
SELECT 'CREATE ROLE messages' WHERE NOT EXISTS
  (SELECT FROM pg_roles WHERE rolname = 'messages') \gexec
ALTER ROLE messages LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION
  NOBYPASSRLS PASSWORD :'password';
SELECT 'CREATE DATABASE messages OWNER messages' WHERE NOT EXISTS
  (SELECT FROM pg_database WHERE datname = 'messages') \gexec
REVOKE ALL ON DATABASE messages FROM PUBLIC;
GRANT CONNECT ON DATABASE messages TO messages;

\set password `cat "$CLP_SECRETS_DIR/notifications_database_password"`
SELECT 'CREATE ROLE notifications' WHERE NOT EXISTS
  (SELECT FROM pg_roles WHERE rolname = 'notifications') \gexec
ALTER ROLE notifications LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION
  NOBYPASSRLS PASSWORD :'password';
SELECT 'CREATE DATABASE notifications OWNER notifications' WHERE NOT EXISTS
  (SELECT FROM pg_database WHERE datname = 'notifications') \gexec
REVOKE ALL ON DATABASE notifications FROM PUBLIC;
GRANT CONNECT ON DATABASE notifications TO notifications;

\set password `cat "$CLP_SECRETS_DIR/search_database_password"`
SELECT 'CREATE ROLE search' WHERE NOT EXISTS
  (SELECT FROM pg_roles WHERE rolname = 'search') \gexec
ALTER ROLE search LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION
  NOBYPASSRLS PASSWORD :'password';
SELECT 'CREATE DATABASE search OWNER search' WHERE NOT EXISTS
  (SELECT FROM pg_database WHERE datname = 'search') \gexec
REVOKE ALL ON DATABASE search FROM PUBLIC;
GRANT CONNECT ON DATABASE search TO search;

\set password `cat "$CLP_SECRETS_DIR/scaling_database_password"`
SELECT 'CREATE ROLE scaling' WHERE NOT EXISTS
  (SELECT FROM pg_roles WHERE rolname = 'scaling') \gexec
ALTER ROLE scaling LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION
  NOBYPASSRLS PASSWORD :'password';
GRANT CONNECT ON DATABASE notifications TO scaling;
\connect notifications
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
SET ROLE notifications;
CREATE OR REPLACE FUNCTION public.count_due_mails() RETURNS bigint
  LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
  AS $$ BEGIN RETURN (SELECT count(*) FROM public.mails
    WHERE due_at <= now() - interval '5 seconds'); END $$;
REVOKE ALL ON FUNCTION public.count_due_mails() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.count_due_mails() TO scaling;
RESET ROLE;
