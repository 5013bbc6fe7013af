#!/usr/bin/env bash
# The committed tree as FILE (.tar.gz), all in the folder nucdet-VERSION; the same commit gives the same bytes.
# usage: source_archive.sh FILE
set -euo pipefail
file=$(realpath -m "${1:?usage: source_archive.sh FILE}")
cd "$(dirname "$0")/.."
version=$(sed -n 's/#define NUCDET_VERSION_STRING "\(.*\)"/\1/p' include/nucdet/version.hpp)
git archive --format=tar --prefix="nucdet-$version/" HEAD | gzip -9n > "$file"
