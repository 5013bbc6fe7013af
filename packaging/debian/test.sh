#!/usr/bin/env bash
# Builds the Debian packages, installs them by apt in a bare Debian 12 and runs debian/tests there: the program, C by pkg-config,
# C++ by CMake, Python. With qemu-user also on a processor of 2003, which has SSE2 and nothing newer.
# usage: test.sh [OUT]      OUT: what build.sh made, or where it shall; takes 15 minutes on two cores, 3 of them not to build
# Skipped (77) without root, mmdebstrap or what build.sh needs.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
source "$here/../chroot.sh"
chroot_wanted
work=$(mktemp -d)
trap 'chroot_free "$work/debian" && rm -rf "$work"' EXIT
out=$(realpath -m "${1:-$work/out}")
ls "$out"/*.deb > /dev/null 2>&1 || "$here/build.sh" "$out"

chroot_make "$work/debian"
mkdir "$work/debian/packages" "$work/debian/source" "$work/debian/empty"
find "$out" -name '*.deb' ! -name '*-dbgsym_*' -exec cp {} "$work/debian/packages" \;
(cd "$work/debian/packages" && dpkg-scanpackages . > Packages)
echo "deb [trusted=yes] file:/packages ./" > "$work/debian/etc/apt/sources.list.d/packages.list"
tar -xzf "$(find "$out" -name '*.orig.tar.gz')" -C "$work/debian/source" --strip-components=1
inside() { chroot_in "$work/debian" "$@"; }

# The tests in the order of debian/tests/control, each before more than its dependencies are there.
inside apt-get update -qq
while IFS=: read -r field words <&3; do
  case $field in
    Tests) name=${words# } ;;
    Depends)
      echo "== $name, with$words"
      inside sh -c "apt-get install -y -qq --no-install-recommends ${words//,/} > /tmp/log 2>&1 || { cat /tmp/log; exit 1; }"
      inside sh -c "cd /source && AUTOPKGTEST_TMP=\$(mktemp -d) packaging/debian/tests/$name"
      ;;
  esac
done 3< "$here/tests/control"

if command -v qemu-x86_64-static > /dev/null; then
  cp "$(command -v qemu-x86_64-static)" "$work/debian/qemu"
  inside sh -c 'cd /empty && nucdet synth --out tissue --images 4 --size 64 > /dev/null &&
    /qemu -cpu Opteron_G1 /usr/bin/nucdet doctor && /qemu -cpu Opteron_G1 /usr/bin/nucdet detect tissue/images --out found'
else
  echo "SKIPPED: no qemu-x86_64-static (apt-get install qemu-user-static): not run on a processor without AVX"
fi
echo "all of $(ls "$work/debian/packages" | tr '\n' ' ')are good"
