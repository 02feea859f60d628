#!/usr/bin/env bash
# Run targets of the Makefile in a fresh Debian: 12 (bookworm: Python 3.11, RabbitMQ 3.10,
# PostgreSQL 15) or 13 (trixie: Python 3.13, RabbitMQ 4, PostgreSQL 17).
# Usage: deploy/checks/debian.sh SUITE [MAKE TARGET ...]; default: test-broker
set -euo pipefail
cd "$(dirname "$0")/../.."
. deploy/install/say.sh
. deploy/checks/debian_root.sh

suite=$1
shift
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(test-broker)

need_debootstrap
title "Debian $suite in a root of its own"
make_debian_root "$suite"
trap 'rm -rf "$root"' EXIT
clone_into /srv/clp
inside python3 -V
inside sh -c 'cd /srv/clp && exec make "$@"' make "${targets[@]}"
inside sh -c "dpkg-query -W -f '\${Package} \${Version}\\n' python3 rabbitmq-server postgresql || true"
