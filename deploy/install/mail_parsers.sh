#!/usr/bin/env bash
# Install the npm mail parser that reads our mails beside Python's, pinned by the lock
# file in tests/services/notifications/parsers, to .cache/mail-parsers. Needs Node.js
# from 20 on and npm, which are installed when missing and root.
set -euo pipefail
cd "$(dirname "$0")/../.."
. deploy/install/say.sh

PINNED=tests/services/notifications/parsers
FOLDER=.cache/mail-parsers

have_node() {
  command -v node >/dev/null 2>&1 && command -v npm >/dev/null 2>&1
}

if ! have_node && is_root && has_apt; then
  title "mail parsers: installing Node.js and npm"
  install_packages nodejs npm
fi
have_node || fail "no Node.js with npm here; install them, or run as root"
cmp -s "$PINNED/package-lock.json" "$FOLDER/.ready" && exit 0
mkdir -p "$FOLDER"
cp "$PINNED/package.json" "$PINNED/package-lock.json" "$FOLDER/"
npm ci --silent --no-audit --no-fund --ignore-scripts --prefix "$FOLDER"
cp "$PINNED/package-lock.json" "$FOLDER/.ready"
say "the parsers are ready in $FOLDER"
