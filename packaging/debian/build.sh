#!/usr/bin/env bash
# Debian packages of the committed tree, for Debian 12: the source archive with this folder as its debian/, then source and
# binary packages, then lintian, whose errors are this script's. Skipped (77) where a tool is missing; what is needed to build
# comes by `apt-get build-dep ./TREE` for a TREE that has this folder as debian/.
# usage: build.sh OUT [--source]      OUT: a folder; --source: the source package alone, which compiles nothing
set -euo pipefail
out=$(realpath -m "${1:?usage: build.sh OUT [--source]}")
case ${2:-} in
  "") how=(--build=full --jobs=auto) ;;
  --source) how=(--build=source --no-pre-clean -d) ;;
  *) echo "usage: $0 OUT [--source]" >&2; exit 2 ;;
esac
top=$(cd "$(dirname "$0")/../.." && pwd)
for needed in dpkg-buildpackage:dpkg-dev dh:debhelper lintian:lintian; do
  command -v "${needed%:*}" > /dev/null || { echo "SKIPPED: no ${needed%:*} (apt-get install ${needed#*:})"; exit 77; }
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
version=$(dpkg-parsechangelog -l "$top/packaging/debian/changelog" -S Version)
"$top/scripts/source_archive.sh" "$work/nucdet_${version%-*}.orig.tar.gz"
tar -xzf "$work/nucdet_${version%-*}.orig.tar.gz" -C "$work"
mv "$work/nucdet-${version%-*}" "$work/nucdet"
cp -r "$work/nucdet/packaging/debian" "$work/nucdet/debian"
(cd "$work/nucdet" && dpkg-buildpackage --no-sign "${how[@]}")
mkdir -p "$out"
find "$work" -maxdepth 1 -type f -exec cp {} "$out" \;

root=()
if [ "$(id -u)" = 0 ]; then root=(--allow-root); fi
lintian "${root[@]}" --fail-on error --tag-display-limit 0 "$out/nucdet_${version}_"*.changes
echo "in $out, without errors of lintian:"
cd "$out" && ls -sh -- *"${version%-*}"*
