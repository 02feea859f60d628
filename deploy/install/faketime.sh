#!/usr/bin/env bash
# libfaketime from Debian (when missing and root), which moves the clock of one process for
# the tests of wrong clocks.
set -euo pipefail
cd "$(dirname "$0")/../.."
. deploy/install/say.sh

have_faketime() { compgen -G '/usr/lib/*/faketime/libfaketime.so.1' >/dev/null; }

if ! have_faketime && is_root && has_apt; then
  title "clocks: installing faketime"
  install_packages faketime
fi
have_faketime || loud "missing: faketime; tests of wrong clocks WILL BE SKIPPED (install it, or run as root)"
