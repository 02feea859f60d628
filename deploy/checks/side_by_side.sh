#!/usr/bin/env bash
# Two groups of make targets at the same time: a test run waits a lot, for servers and for
# processes, and this machine has another core.
#
#   side_by_side.sh "TARGET ..." "TARGET ..."
#
# The first group prints as it goes, the second one when the first has ended. A group stops
# at its first target that fails; the other one goes to its end all the same.
set -uo pipefail
cd "$(dirname "$0")/../.."
. deploy/install/say.sh

[ $# -eq 2 ] || fail "two groups, each a list of make targets"
log=$(mktemp)
trap 'rm -f "$log"; kill $(jobs -p) 2>/dev/null' EXIT

group() {
  local target
  for target in $1; do
    make "$target" || { loud "make $target failed"; return 1; }
  done
}

began=$SECONDS
group "$2" >"$log" 2>&1 &
second=$!
group "$1"
first_ended=$?
[ -z "$(jobs -rp)" ] || say "waiting for: $2"
wait "$second"
second_ended=$?
cat "$log"
say "$1 and $2 took $((SECONDS - began)) s side by side"
[ "$first_ended" -eq 0 ] && [ "$second_ended" -eq 0 ]
