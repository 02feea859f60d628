#!/usr/bin/env bash
# Install the programs of RabbitMQ and PostgreSQL, which the tests start as private
# servers. This script starts nothing and changes no service of the machine.
#
#   servers.sh            install what is missing, when root
#   servers.sh --check    print nothing; the exit code says whether they are installed
#
# With CI=true a missing server is a failure, otherwise a warning.
set -euo pipefail
cd "$(dirname "$0")/../.."
. deploy/install/say.sh

have_rabbitmq() {
  command -v rabbitmq-server >/dev/null 2>&1 ||
    [ -x /usr/sbin/rabbitmq-server ] || [ -x /usr/lib/rabbitmq/bin/rabbitmq-server ]
}

have_postgresql() {
  command -v initdb >/dev/null 2>&1 || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null
}

missing() {
  have_rabbitmq || printf 'rabbitmq-server '
  have_postgresql || printf 'postgresql '
}

missing_packages=$(missing)
if [ "${1:-}" = --check ]; then
  [ -z "$missing_packages" ]
  exit
fi
if [ -n "$missing_packages" ] && is_root && has_apt; then
  title "servers: installing ${missing_packages% }"
  # Split into package names on purpose.
  # shellcheck disable=SC2086
  install_without_starting $missing_packages
  missing_packages=$(missing)
fi
[ -z "$missing_packages" ] && exit 0
if [ "${CI:-}" = true ]; then
  loud "missing: ${missing_packages% }"
  fail "with CI=true every journey must run"
fi
loud "missing: ${missing_packages% }; journeys on RabbitMQ and PostgreSQL WILL BE SKIPPED (install them, or run as root)"
