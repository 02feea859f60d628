#!/usr/bin/env bash
# The npm parser that reads our mails beside Python's, in .cache/mail-parsers. Needs
# Node.js from 18 on and npm, which are installed when missing and root.
set -euo pipefail
cd "$(dirname "$0")/../.."
. deploy/install/say.sh

PARSER=postal-mime@4.0.0
FOLDER=.cache/mail-parsers

have_node() {
  command -v node >/dev/null 2>&1 && command -v npm >/dev/null 2>&1
}

if ! have_node && is_root && has_apt; then
  title "mail parsers: installing Node.js and npm"
  install_packages nodejs npm
fi
have_node || fail "no Node.js with npm here; install them, or run as root"
[ "$(cat "$FOLDER/.ready" 2>/dev/null)" = "$PARSER" ] && exit 0
mkdir -p "$FOLDER"
npm install --silent --no-save --no-package-lock --ignore-scripts \
  --prefix "$FOLDER" "$PARSER"
echo "$PARSER" >"$FOLDER/.ready"
say "$PARSER is ready in $FOLDER"
