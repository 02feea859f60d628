#!/usr/bin/env bash
# The virus scanner client against a real clamd, with one local signature, no download.
set -euo pipefail
cd "$(dirname "$0")/../.."
. deploy/install/say.sh

have_clamd() { command -v clamd >/dev/null 2>&1 || [ -x /usr/sbin/clamd ]; }

if ! have_clamd && is_root && has_apt; then
  title "scanner: installing clamav-daemon"
  install_packages clamav-daemon
fi
have_clamd || {
  loud "NOT RUN: no clamd on this machine (install clamav-daemon, or run as root)"
  exit 1
}
exec "${VENV:-.venv}/bin/python" -m pytest -m clamd tests/services/messages "$@"
