#!/usr/bin/env bash
# Tests on private RabbitMQ and PostgreSQL servers, or a warning that they were skipped.
set -euo pipefail
cd "$(dirname "$0")/../.."
. deploy/install/say.sh

if deploy/install/servers.sh --check; then
  exec "${VENV:-.venv}/bin/python" -m pytest \
    -m "broker and not slow and not faults and not bench and not browser and not provider" "$@"
fi
[ "${CI:-}" != true ] || fail "RabbitMQ or PostgreSQL is missing and CI=true"
loud "SKIPPED: tests on RabbitMQ and PostgreSQL (not installed on this machine)"
