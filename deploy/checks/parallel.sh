#!/usr/bin/env bash
# Run make targets at the same time, so that no core waits for a server or a process.
#
#   parallel.sh TARGET ...
#
# The last target prints as it goes; the output of the others follows when all have ended.
set -uo pipefail
cd "$(dirname "$0")/../.."
. deploy/install/say.sh

[ $# -gt 1 ] || fail "name two targets at least"
logs=$(mktemp -d)
trap 'rm -rf "$logs"; kill $(jobs -p) 2>/dev/null' EXIT

run() {
  make "$1" || { loud "make $1 failed"; return 1; }
}

began=$SECONDS
pids=()
for target in "${@:1:$#-1}"; do
  run "$target" >"$logs/$target" 2>&1 &
  pids+=($!)
done
failed=0
run "${*: -1}" || failed=1
for pid in "${pids[@]}"; do
  wait "$pid" || failed=1
done
cat "$logs"/*
say "$* took $((SECONDS - began)) s"
exit "$failed"
