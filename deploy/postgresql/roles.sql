-- Roles and databases, one of each for every service that keeps rows. Written by
-- `make deploy-files` from the list of process types; may be run again and again.
--
--   export CLP_SECRETS_DIR=/etc/clp/secrets
--   psql -v ON_ERROR_STOP=1 -f deploy/postgresql/roles.sql
--
-- as a superuser. The passwords are read from files `SERVICE_database_password`.
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
