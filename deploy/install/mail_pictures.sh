#!/usr/bin/env bash
# Chromium and fonts for every script of the mails, for their pictures. Installed from
# Debian when missing and root.
set -euo pipefail
cd "$(dirname "$0")/../.."
. deploy/install/say.sh

if ! command -v chromium >/dev/null 2>&1; then
  is_root && has_apt || fail "no Chromium here; install it, or run as root"
  title "mail pictures: installing Chromium and fonts"
  install_packages chromium fonts-noto-core fonts-noto-cjk
fi
