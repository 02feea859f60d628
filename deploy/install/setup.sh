#!/usr/bin/env bash
# Prepare the environment .venv (or $VENV) with every member of the workspace, editable.
# Idempotent: a second run upgrades what changed. Needs Python 3.11 to 3.13 and a package
# index that pip is configured to use.
#
#   setup.sh demo      what `make demo`, `make portal` and one process type need
#   setup.sh           servers, tests and linters as well
#   setup.sh --check   whether $PYTHON fits, and $VENV is of it; nothing is installed
#
# Third-party packages come first, each file by its hash; then the members, which find all
# of their dependencies installed.
set -euo pipefail
cd "$(dirname "$0")/../.."
. deploy/install/say.sh

VENV=${VENV:-.venv}
LEVEL=${1:-dev}
MEMBERS=(libs/clp_core libs/clp_contracts libs/clp_chassis
  services/projects services/messages services/search services/notifications
  services/portal tools/clp_deploy tools/clp_ops tools/clp_suite)

# Nameko declares support up to 3.11; the tests pass on 3.12 and 3.13.
fits() {
  "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' \
    >/dev/null 2>&1
}

version_of() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null; }

# Who names a Python gets that one or an error, never another one.
check_named_python() {
  local named=${PYTHON:-} found existing
  [ -n "$named" ] || return 0
  found=$(version_of "$named") ||
    fail "PYTHON=$named: no such program, or it is no Python; name one from 3.11 to 3.13"
  fits "$named" ||
    fail "PYTHON=$named is Python $found; name one from 3.11 to 3.13, or leave PYTHON out"
  existing=$(version_of "$VENV/bin/python") || return 0
  [ "$existing" = "$found" ] ||
    fail "PYTHON=$named is Python $found and $VENV is of $existing: remove $VENV, or name another folder, VENV=build/python-$found"
}

find_python() {
  local candidate
  if [ -n "${PYTHON:-}" ]; then
    command -v "$PYTHON"
    return
  fi
  for candidate in python3.11 /usr/bin/python3.11 python3.12 python3.13 python3; do
    if command -v "$candidate" >/dev/null 2>&1 && fits "$candidate"; then
      command -v "$candidate"
      return 0
    fi
  done
  return 1
}

ensure_python() {
  if ! python=$(find_python); then
    if is_root && has_apt; then
      say "no Python from 3.11 to 3.13 here: installing Debian's"
      install_packages python3 python3-venv
    fi
    python=$(find_python) ||
      fail "no Python from 3.11 to 3.13 found; install one or name it: PYTHON=/path make setup"
  fi
  version=$(version_of "$python")
}

# Debian packages ensurepip separately, in python3-venv.
ensure_venv_module() {
  "$python" -c 'import venv; from ensurepip import version' >/dev/null 2>&1 && return
  if is_root && has_apt; then
    say "Python has no ensurepip: installing Debian's python3-venv"
    install_packages python3-venv "python$version-venv"
  fi
  "$python" -c 'import venv; from ensurepip import version' >/dev/null 2>&1 ||
    fail "$python cannot make environments; install python3-venv (Debian) and try again"
}

environment_works() {
  [ -x "$VENV/bin/python" ] && fits "$VENV/bin/python" &&
    "$VENV/bin/python" -m pip --version >/dev/null 2>&1 &&
    "$VENV/bin/python" -c 'import os, sys; sys.exit(not os.path.samefile(sys.prefix, sys.argv[1]))' "$VENV"
}

pip() {
  "$VENV/bin/python" -m pip --disable-pip-version-check --no-input "$@" </dev/null
}

check_named_python
[ "$LEVEL" != --check ] || exit 0
title "setup: one environment in $VENV"
if environment_works; then
  say "keeping the environment ($("$VENV/bin/python" -V))"
else
  ensure_python
  ensure_venv_module
  say "making an environment with $python ($("$python" -V))"
  "$python" -m venv --clear "$VENV"
fi
say "third-party packages, by their hashes (a minute or two the first time)"
pip install -qq --require-hashes --only-binary :all: \
  -r "deploy/install/hashed/$LEVEL.txt"
pip install -qq --no-deps --require-hashes --only-binary :all: \
  -r deploy/install/hashed/whoosh3.txt
say "members of the workspace, editable"
editable=()
for member in "${MEMBERS[@]}"; do editable+=(-e "$member"); done
pip install -qq --no-deps --no-build-isolation "${editable[@]}"
pip check >/dev/null || fail "installed packages disagree: $(pip check 2>&1 | head -n 5)"
# Compile once: with PYTHONDONTWRITEBYTECODE each process would compile every module.
sources=(libs/*/src services/*/src tools/*/src)
[ "$LEVEL" = demo ] || sources+=(tests bench)
"$VENV/bin/python" -W ignore -m compileall -qq "${sources[@]}" ||
  fail "a module cannot be compiled: run python -m compileall ${sources[*]}"
touch "$VENV/.demo"
[ "$LEVEL" = demo ] || touch "$VENV/.ready"
say "ready"
