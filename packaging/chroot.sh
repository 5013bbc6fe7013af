# For scripts that try a package on a bare Debian 12: `source` it, then
#   chroot_wanted               ends with 77 where mmdebstrap or root is missing
#   chroot_make DIR             a Debian 12 of nothing but apt in DIR, with this machine's way to the mirror
#   chroot_in DIR COMMAND...    runs a command in it
#   chroot_free DIR             removes it; also from a trap

chroot_wanted() {
  command -v mmdebstrap > /dev/null || { echo "SKIPPED: no mmdebstrap (apt-get install mmdebstrap)"; exit 77; }
  [ "$(id -u)" = 0 ] || { echo "SKIPPED: a chroot wants root"; exit 77; }
}

chroot_make() {
  local settings=() file
  for file in /etc/apt/apt.conf.d/*; do
    if grep -qs '^Acquire::' "$file"; then settings+=("--aptopt=$file"); fi
  done
  mmdebstrap --quiet --mode=root --variant=minbase "${settings[@]}" bookworm "$1"
  mount -t proc proc "$1/proc"
}

chroot_in() {
  local root=$1
  shift
  DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    HOME=/root TMPDIR=/tmp chroot "$root" "$@"
}

chroot_free() {
  if mountpoint -q "$1/proc"; then umount "$1/proc"; fi
  rm -rf --one-file-system "$1"
}
