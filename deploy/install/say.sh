# Output and installation helpers of the scripts. Sourced, not run.

say() { printf '  %s\n' "$*"; }

title() { printf '\n== %s ==\n' "$*"; }

# A line that stands out in a long log.
loud() {
  local rule='!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!'
  printf '\n%s\n!!! %s\n%s\n\n' "$rule" "$*" "$rule" >&2
}

fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

is_root() { [ "$(id -u)" -eq 0 ]; }

has_apt() { command -v apt-get >/dev/null 2>&1; }

# Install Debian packages without prompts; the output of apt-get is shown on failure only.
install_packages() {
  local log
  log=$(mktemp)
  export DEBIAN_FRONTEND=noninteractive
  if ! { apt-get update -q && apt-get install -qy --no-install-recommends "$@"; } \
    </dev/null >"$log" 2>&1; then
    tail -n 40 "$log" >&2
    rm -f "$log"
    fail "apt-get could not install: $*"
  fi
  rm -f "$log"
}

# Debian starts the services it installs. A temporary policy forbids it, unless the machine
# has a policy of its own.
POLICY=/usr/sbin/policy-rc.d
install_without_starting() {
  if [ ! -e "$POLICY" ]; then
    trap 'rm -f "$POLICY"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$POLICY"
    chmod 755 "$POLICY"
  fi
  install_packages "$@"
  if [ -d /run/systemd/system ]; then
    say "installed and not started: $*"
  fi
}
