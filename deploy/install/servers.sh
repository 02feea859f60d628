#!/usr/bin/env bash
# Make the programs of RabbitMQ and PostgreSQL available; private servers are started
# from them by the tests. Nothing is started here and no service of the machine changes.
#
#   servers.sh            install what is missing, when root
#   servers.sh --check    say nothing, answer whether they are here
#
# With CI=true a missing server is a failure; otherwise a loud line.
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

# Debian starts what it installs. A policy that forbids it is laid down for the time of
# the installation, unless the machine has a policy of its own.
POLICY=/usr/sbin/policy-rc.d
install_without_starting() {
  if [ ! -e "$POLICY" ]; then
    trap 'rm -f "$POLICY"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$POLICY"
    chmod 755 "$POLICY"
  fi
  install_packages "$@"
  if [ -d /run/systemd/system ]; then
    say "RabbitMQ and PostgreSQL are installed and were not started"
  fi
}

lacking=$(missing)
if [ "${1:-}" = --check ]; then
  [ -z "$lacking" ]
  exit
fi
if [ -n "$lacking" ] && is_root && has_apt; then
  title "servers: installing ${lacking% }"
  # Words, not one word: the names of the packages.
  # shellcheck disable=SC2086
  install_without_starting $lacking
  lacking=$(missing)
fi
[ -z "$lacking" ] && exit 0
if [ "${CI:-}" = true ]; then
  loud "missing: ${lacking% }"
  fail "with CI=true every journey must run"
fi
loud "missing: ${lacking% }; journeys on RabbitMQ and PostgreSQL WILL BE SKIPPED (install them, or run as root)"
