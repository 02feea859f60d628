#!/usr/bin/env bash
# `make demo` and `make test-system` on each supported Python of this machine, every one in
# an environment of its own below build/. A missing Python is named, not an error.
set -euo pipefail
cd "$(dirname "$0")/../.."
. deploy/install/say.sh

# A name may stand for a version that is not chosen here (pyenv): take what runs.
find_one() {
  local candidate
  for candidate in "python$1" "$HOME/.pyenv/versions/$1".*/bin/python; do
    if "$candidate" -c '' >/dev/null 2>&1; then
      command -v "$candidate"
      return
    fi
  done
}

tried=0
for version in 3.11 3.12 3.13; do
  python=$(find_one "$version" | tail -n 1)
  if [ -z "$python" ]; then
    loud "NOT RUN: no Python $version on this machine"
    continue
  fi
  title "Python $version"
  export VENV=build/python-$version PYTHON=$python
  make demo >"build/demo-$version.log"
  make setup
  "$VENV/bin/python" -m coverage --version >/dev/null
  make test-core test-system
  tried=$((tried + 1))
done
[ "$tried" -gt 0 ] || fail "no supported Python on this machine"
say "$tried Pythons passed"
