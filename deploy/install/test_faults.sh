#!/usr/bin/env bash
# The short fault tests on private servers, or a warning that they were skipped.
set -euo pipefail
cd "$(dirname "$0")/../.."
. deploy/install/say.sh

if deploy/install/servers.sh --check; then
  exec "${VENV:-.venv}/bin/python" -m pytest tests/faults -m "faults and not slow" --timeout 900 "$@"
fi
[ "${CI:-}" != true ] || fail "RabbitMQ or PostgreSQL is missing and CI=true"
loud "SKIPPED: faults on RabbitMQ and PostgreSQL (not installed on this machine)"
exec "${VENV:-.venv}/bin/python" -m pytest -m "faults and not slow" --timeout 900 \
  tests/faults/test_embedded_killed.py tests/faults/test_disk_full.py "$@"
