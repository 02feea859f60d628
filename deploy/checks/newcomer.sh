#!/usr/bin/env bash
# README, tutorial and operator's guide, done literally on a fresh machine: a Debian 13 root
# by debootstrap, with nothing prepared. Says so and ends well where not root.
set -euo pipefail
cd "$(dirname "$0")/../.."
exec deploy/checks/debian13.sh pages
