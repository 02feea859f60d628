#!/usr/bin/env bash
# Chromium from Debian (when missing and root), and what drives it, for the tests and the
# pictures of the portal.
set -euo pipefail
cd "$(dirname "$0")/../.."
. deploy/install/say.sh

deploy/install/mail_pictures.sh
if ! .venv/bin/python -c 'import playwright, axe_playwright_python' >/dev/null 2>&1; then
  title "installing Playwright and axe-core"
  .venv/bin/python -m pip install -qq -c constraints.txt --group browser
fi
