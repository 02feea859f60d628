#!/usr/bin/env bash
# Chromium and fonts from Debian (when missing and root), and what drives it, for the tests
# and the pictures of the portal and of the mails.
set -euo pipefail
cd "$(dirname "$0")/../.."
. deploy/install/say.sh

have() { command -v "$1" >/dev/null 2>&1; }

if ! have chromium-headless-shell && ! have chromium; then
  is_root && has_apt || fail "no Chromium here; install it, or run as root"
  title "installing Chromium and fonts"
  install_packages chromium-headless-shell fonts-noto-core fonts-noto-cjk
fi
if ! .venv/bin/python -c 'import playwright, axe_playwright_python' >/dev/null 2>&1; then
  title "installing Playwright and axe-core"
  .venv/bin/python -m pip install -qq -c constraints.txt --group browser
fi
