# Fresh Debian roots by debootstrap, for commands that need an empty machine. Sourced, not
# run. Needs root; with DEBIAN_ROOTS=FOLDER the bootstrapped roots are kept there, and each
# run works on a copy.

# Ends the script well where no root can be made.
need_debootstrap() {
  if ! is_root || ! has_apt; then
    loud "not tried: a fresh Debian needs root and apt"
    exit 0
  fi
  command -v debootstrap >/dev/null 2>&1 || install_packages debootstrap
}

# make_debian_root SUITE: a root with Python and make, and nothing else; sets $root.
make_debian_root() {
  local suite=$1 archive base
  # The archive is the one that this machine is configured for.
  archive=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | head -n 1)
  root=$(mktemp -d)
  base=${DEBIAN_ROOTS:+$DEBIAN_ROOTS/$suite}
  base=${base:-$root}
  [ -x "$base/usr/bin/make" ] ||
    debootstrap --variant=minbase --include=ca-certificates,git,make,python3 \
      "$suite" "$base" "$archive" >"$root.log" 2>&1 || fail "debootstrap failed: see $root.log"
  rm -f "$root.log"
  [ "$base" = "$root" ] || cp -a "$base/." "$root"
  chmod 755 "$root"
  copy_in /etc/resolv.conf /etc/hosts /etc/pip.conf /etc/xdg/pip "$HOME/.config/pip" \
    /etc/apt/apt.conf.d /etc/ssl/certs/ca-certificates.crt
}

# What reaches the network on this machine does so in the root.
copy_in() {
  local path
  for path in "$@"; do
    [ -e "$path" ] || continue
    mkdir -p "$root$(dirname "$path")"
    cp -aL "$path" "$root$(dirname "$path")/"
  done
}

# inside COMMAND ...: in the root, with the environment of a fresh login and pip's settings.
inside() {
  local kept=() name
  for name in $(compgen -e); do
    case $name in PIP_* | *_proxy | *_PROXY | SSL_CERT_FILE) kept+=("$name=${!name}") ;; esac
  done
  unshare --mount --pid --fork --kill-child sh -c '
    root=$1; shift
    mount -t proc proc "$root/proc"
    mount --rbind /dev "$root/dev"
    mount -t tmpfs tmpfs "$root/dev/shm" 2>/dev/null || true
    exec chroot "$root" /usr/bin/env -i HOME=/root "$@"
  ' sh "$root" PATH=/usr/sbin:/usr/bin:/sbin:/bin "${kept[@]}" "$@"
}

# clone_into FOLDER: this repository, as somebody fetches it.
clone_into() {
  git clone -q . "$root$1"
}
