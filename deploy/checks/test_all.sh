#!/usr/bin/env bash
# Run make targets one after another, each with its log in build/test-all. A failed target
# stops none of the others; a table at the end says how each of them ended.
#
#   test_all.sh TARGETS ...
set -uo pipefail
cd "$(dirname "$0")/../.."
. deploy/install/say.sh

LINES_OF_A_FAILURE=40

[ $# -gt 0 ] || fail "name at least one target"
logs=build/test-all
rm -rf "$logs"
mkdir -p "$logs"

results=()
failed=0
number=0
for target in "$@"; do
  number=$((number + 1))
  title "$target, $number of $# ($(date +%H:%M), log: $logs/$target.log)"
  began=$SECONDS
  if make "$target" >"$logs/$target.log" 2>&1 </dev/null; then
    result=passed
  else
    result=FAILED
    failed=$((failed + 1))
    tail -n "$LINES_OF_A_FAILURE" "$logs/$target.log"
  fi
  results+=("$(printf '%-20s %s %6d s' "$target" "$result" $((SECONDS - began)))")
  say "${results[-1]}"
done

title "$(($# - failed)) of $# passed in $((SECONDS / 60)) minutes"
for result in "${results[@]}"; do
  say "$result"
done
# What passed because something was missing says so in its log.
grep -hE '^!!! ' "$logs"/*.log | sort -u
[ "$failed" -eq 0 ]
