#!/usr/bin/env bash
# Two lanes of make targets at the same time: a test run waits a lot, for servers and for
# processes, and this machine has another core.
#
#   side_by_side.sh "TARGET ..." "TARGET ..."
#
# The first lane prints as it goes, the second one when the first has ended. A lane stops
# at its first target that fails; the other one goes to its end all the same.
set -uo pipefail
cd "$(dirname "$0")/../.."
. deploy/install/say.sh

[ $# -eq 2 ] || fail "two lanes, each a list of make targets"
log=$(mktemp)
trap 'rm -f "$log"; kill $(jobs -p) 2>/dev/null' EXIT

lane() {
  local target
  for target in $1; do
    make "$target" || { loud "make $target failed"; return 1; }
  done
}

began=$SECONDS
lane "$2" >"$log" 2>&1 &
second=$!
lane "$1"
first_ended=$?
[ -z "$(jobs -rp)" ] || say "waiting for: $2"
wait "$second"
second_ended=$?
cat "$log"
say "$1 and $2 took $((SECONDS - began)) s side by side"
[ "$first_ended" -eq 0 ] && [ "$second_ended" -eq 0 ]
