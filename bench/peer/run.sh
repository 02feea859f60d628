#!/usr/bin/env bash
# The comparison with Matrix Synapse, which is installed from its package into an
# environment of its own. Where it cannot be installed, a loud line says so.
set -euo pipefail
cd "$(dirname "$0")/../.."
. deploy/install/say.sh

VENV=.venv-peer
SYNAPSE=matrix-synapse==1.163.2

if [ ! -e "$VENV/.ready" ]; then
  title "installing $SYNAPSE in $VENV"
  .venv/bin/python -m venv --clear "$VENV"
  if ! "$VENV/bin/python" -m pip install -qq --disable-pip-version-check --no-input \
    "$SYNAPSE" psycopg2-binary setuptools </dev/null; then
    rm -rf "$VENV"
    loud "SKIPPED: $SYNAPSE cannot be installed here, so there is nobody to compare with"
    exit 0
  fi
  touch "$VENV/.ready"
fi

peer() {
  .venv/bin/python -m bench.peer --synapse "$PWD/$VENV/bin/python" "$@"
}
peer --kind embedded "$@"
if deploy/install/servers.sh --check; then
  peer --kind servers "$@"
else
  loud "SKIPPED: on RabbitMQ and PostgreSQL (not installed on this machine)"
fi
