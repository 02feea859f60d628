#!/usr/bin/env bash
# Run make targets at the same time, so that no core waits for a server or a process.
#
#   parallel.sh TARGETS ...
#
# Each argument is one target or several that run in turn. The last argument prints as it
# goes; the output of the others follows when all have ended.
set -uo pipefail
cd "$(dirname "$0")/../.."
. deploy/install/say.sh

[ $# -gt 1 ] || fail "name two groups of targets at least"
logs=$(mktemp -d)
trap 'rm -rf "$logs"; kill $(jobs -p) 2>/dev/null' EXIT

run() {
  local target failed=0
  # Split into targets on purpose.
  for target in $1; do
    make "$target" || { loud "make $target failed"; failed=1; }
  done
  return "$failed"
}

# Processor time of this machine since it started: busy and all, in hundredths of a second.
processor_time() {
  local user nice system idle iowait rest
  read -r _ user nice system idle iowait rest </proc/stat
  echo $((user + nice + system)) $((user + nice + system + idle + iowait))
}

processor_share() {
  local busy all
  read -r busy all < <(processor_time)
  echo $((100 * (busy - busy_before) / (all - all_before)))
}

began=$SECONDS
read -r busy_before all_before < <(processor_time)
pids=()
for group in "${@:1:$#-1}"; do
  run "$group" >"$logs/$group" 2>&1 &
  pids+=($!)
done
failed=0
run "${*: -1}" || failed=1
for pid in "${pids[@]}"; do
  wait "$pid" || failed=1
done
cat "$logs"/*
seconds=$((SECONDS - began))
say "$* took $seconds s; $(nproc) processors were busy for $(processor_share) % of it"
exit "$failed"
