#!/usr/bin/env bash
# A fresh Debian 13 by debootstrap: `make demo` and the core's tests on what a new machine
# has, a make and a Python of Debian's. Needs root and debootstrap.
set -euo pipefail
cd "$(dirname "$0")/../.."
. deploy/install/say.sh

is_root || { loud "NOT RUN: a fresh Debian needs root"; exit 0; }
command -v debootstrap >/dev/null 2>&1 || install_packages debootstrap
root=$(mktemp -d)
cleanup() {
  umount "$root/proc" 2>/dev/null || true
  rm -rf "$root"
}
trap cleanup EXIT

title "a fresh Debian 13"
debootstrap --variant=minbase --include=make,ca-certificates,python3,python3-venv \
  trixie "$root" ${DEBIAN_MIRROR:+"$DEBIAN_MIRROR"} >"$root.log" 2>&1 ||
  { tail -n 20 "$root.log" >&2; fail "debootstrap"; }
rm -f "$root.log"
mkdir "$root/work"
git archive HEAD | tar -x -C "$root/work"
cp /etc/resolv.conf "$root/etc/resolv.conf"
cp /etc/pip.conf "$root/etc/pip.conf" 2>/dev/null || true
mount -t proc proc "$root/proc"
chroot "$root" env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin \
  bash -euc 'cd /work && make demo && make test-core'
say "demo and core tests pass on a fresh Debian 13"
