#!/usr/bin/env bash
# The alert rules in unit tests of promtool, which is in Debian's package of Prometheus.
set -euo pipefail
cd "$(dirname "$0")/../.."
. deploy/install/say.sh

if ! command -v promtool >/dev/null 2>&1 && is_root && has_apt; then
  title "alerts: installing prometheus for its promtool"
  install_without_starting prometheus
fi
command -v promtool >/dev/null 2>&1 || {
  loud "NOT RUN: no promtool on this machine (install prometheus, or run as root)"
  exit 1
}
exec "${VENV:-.venv}/bin/python" -m pytest -m promtool tests/deploy/test_alerts.py "$@"
