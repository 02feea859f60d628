#!/usr/bin/env bash
# README, tutorial and operator's guide, done literally on fresh machines: Debian 12 and 13
# by debootstrap, with nothing prepared. Says so and ends well where not root.
# Usage: deploy/checks/newcomer.sh [SUITE ...]; default: bookworm trixie
set -euo pipefail
cd "$(dirname "$0")/../.."
. deploy/install/say.sh
. deploy/checks/debian_root.sh

PAGES=(README.md docs/tutorial.md docs/operations/guide.md)
HOME_OF_USER=/srv/newcomer

as_user() {
  inside setpriv --reuid newcomer --regid newcomer --init-groups \
    env HOME="$HOME_OF_USER" sh -c 'cd ~/clp && exec "$@"' sh "$@"
}

# An ordinary user is told in one line what the machine lacks. Root gets it installed by the
# commands of the pages; after that they work for the ordinary user as well.
follow_pages() {
  local refusal
  clone_into /srv/clp
  inside useradd --create-home --home-dir "$HOME_OF_USER" newcomer
  clone_into "$HOME_OF_USER/clp"
  inside chown -R newcomer: "$HOME_OF_USER"
  title "$1: an ordinary user is told what is missing"
  if refusal=$(as_user make demo 2>&1); then
    fail "make demo works without python3-venv: this check has lost its purpose"
  fi
  grep "error: .*install python3-venv" <<<"$refusal" || fail "$refusal"
  title "$1: root"
  inside sh -c 'cd /srv/clp && exec python3 "$@"' sh deploy/checks/run_pages.py "${PAGES[@]}"
  title "$1: the ordinary user, on the same machine"
  as_user python3 deploy/checks/run_pages.py "${PAGES[@]}"
}

need_debootstrap
suites=("$@")
[ ${#suites[@]} -gt 0 ] || suites=(bookworm trixie)
for suite in "${suites[@]}"; do
  title "a fresh Debian $suite"
  make_debian_root "$suite"
  trap 'rm -rf "$root"' EXIT
  follow_pages "$suite"
  rm -rf "$root"
done
title "the pages are true on a fresh Debian: ${suites[*]}"
