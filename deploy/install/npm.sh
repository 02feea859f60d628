#!/usr/bin/env bash
# npm.sh PINNED FOLDER: install the npm packages that the lock file in PINNED pins to
# FOLDER. Needs Node.js from 20 on and npm, which are installed when missing and root.
set -euo pipefail
cd "$(dirname "$0")/../.."
. deploy/install/say.sh

PINNED=$1
FOLDER=$2

have_node() {
  command -v node >/dev/null 2>&1 && command -v npm >/dev/null 2>&1
}

if ! have_node && is_root && has_apt; then
  title "npm packages: installing Node.js and npm"
  install_packages nodejs npm
fi
have_node || fail "no Node.js with npm here; install them, or run as root"
cmp -s "$PINNED/package-lock.json" "$FOLDER/.ready" && exit 0
mkdir -p "$FOLDER"
cp "$PINNED/package.json" "$PINNED/package-lock.json" "$FOLDER/"
npm ci --silent --no-audit --no-fund --ignore-scripts --prefix "$FOLDER"
cp "$PINNED/package-lock.json" "$FOLDER/.ready"
say "the packages of $PINNED are ready in $FOLDER"
