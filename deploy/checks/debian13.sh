#!/usr/bin/env bash
# Run commands of the Makefile in a fresh Debian 13 root: Python 3.13, RabbitMQ 4, PostgreSQL 17.
# Needs root and debootstrap (installed when missing); says so and ends well where not root.
# Usage: deploy/checks/debian13.sh [MAKE TARGET ...]; default: test-broker
set -euo pipefail
cd "$(dirname "$0")/../.."
. deploy/install/say.sh

targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(test-broker)
root=${DEBIAN13_ROOT:-$(mktemp -d)}

if ! is_root || ! has_apt; then
  loud "Debian 13 is not tried: it needs root and apt"
  exit 0
fi
command -v debootstrap >/dev/null 2>&1 || install_packages debootstrap

# The archive and pip's index are the ones that this machine is configured for.
archive=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | head -n 1)
title "Debian 13 in a root of its own"
[ -x "$root/usr/bin/make" ] ||
  debootstrap --variant=minbase --include=ca-certificates,git,make,python3,python3-venv \
    trixie "$root" "$archive" >"$root.log" || fail "debootstrap failed: see $root.log"

copy_in() {
  local path
  for path in "$@"; do
    [ -e "$path" ] || continue
    mkdir -p "$root$(dirname "$path")"
    cp -aL "$path" "$root$(dirname "$path")/"
  done
}
copy_in /etc/resolv.conf /etc/hosts /etc/pip.conf /etc/xdg/pip "$HOME/.config/pip" /etc/apt/apt.conf.d \
  /etc/ssl/certs/ca-certificates.crt

inside() {
  unshare --mount --pid --fork --kill-child sh -c '
    root=$1; shift
    mount -t proc proc "$root/proc"
    mount --rbind /dev "$root/dev"
    mount -t tmpfs tmpfs "$root/dev/shm" 2>/dev/null || true
    exec chroot "$root" /usr/bin/env -u PYENV_ROOT HOME="$HOME" PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"
  ' sh "$root" "$@"
}

rm -rf "$root/srv/clp"
git clone -q . "$root/srv/clp"
inside sh -c 'apt-get update -qq && python3 -V'
inside sh -c 'cd /srv/clp && exec make "$@"' make "${targets[@]}"
inside sh -c "dpkg-query -W -f '\${Package} \${Version}\\n' python3 rabbitmq-server postgresql || true"
[ -n "${DEBIAN13_ROOT:-}" ] || rm -rf "$root"
