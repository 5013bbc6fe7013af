#!/usr/bin/env bash
# scripts/release.sh in a copy of the tree: what it refuses, and a release without what takes long to build.
# usage: test_release.sh SOURCE_DIR
set -euo pipefail
source=$1
command -v git > /dev/null && git -C "$source" rev-parse > /dev/null 2>&1 || { echo "SKIPPED: $source is no git checkout"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tree=$work/tree
failed=0
fail() { echo "FAILED: $*"; failed=1; }

mkdir "$tree"
(cd "$source" && git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$tree")
cd "$tree"
version=$(sed -n 's/#define NUCDET_VERSION_STRING "\(.*\)"/\1/p' include/nucdet/version.hpp)
export GIT_AUTHOR_NAME=test GIT_AUTHOR_EMAIL=test@example.org GIT_COMMITTER_NAME=test GIT_COMMITTER_EMAIL=test@example.org
commit() { git add -A && git commit -q -m "$1"; }
git init -q . && commit "as it is"
refused() {  # refused WHAT PATTERN ARGUMENT...
  local said
  if said=$(scripts/release.sh "${@:3}" 2>&1); then fail "$1: it was not refused"; fi
  grep -Eq "$2" <<< "$said" || fail "$1: wanted '$2', found: $said"
}

sed -i "0,/^## .*/s//## $version, not released/" CHANGELOG.md && commit "no date"
refused "no date" "CHANGELOG.md: its first section is '## $version, not released'" "$version" --check
sed -i "0,/^## .*/s//## $version, 2026-01-31/" CHANGELOG.md && commit "a date"
scripts/release.sh "$version" --check > "$work/said" 2>&1 || fail "a good tree is refused: $(cat "$work/said")"
refused "another version" "version.hpp: found $version, wanted 99.0.0" 99.0.0 --check
refused "no version" "usage: release.sh" v1
echo >> README.md
refused "a changed tree" "not what is committed:  M README.md" "$version" --check
git checkout -q README.md

spoil() {  # spoil FILE SED PATTERN: a file that no longer agrees is named
  sed -i "$2" "$1" && ! git diff --quiet || fail "$1: nothing to spoil by $2"
  refused "$1" "$3" "$version" --check
  git checkout -q "$1"
}
spoil packaging/debian/changelog "1s/($version/(99.0.0/" "debian/changelog: found 99.0.0, wanted $version"
spoil packaging/vcpkg/ports/nucdet/vcpkg.json "s/\"$version\"/\"99.0.0\"/" "vcpkg.json: found 99.0.0"
spoil packaging/debian/control "0,/libpng-dev,/s///" "Build-Depends: libpng-dev is missing"
spoil packaging/debian/libnucdet0.symbols '$d' "libnucdet0.symbols: nucdet_.* is missing"
spoil packaging/conan/conanfile.py '/libtiff/d' "conanfile.py: libtiff is missing"
spoil packaging/debian/rules "s/NUCDET_FORMATS/NUCDET_FORMS/" "debian/rules: sets NUCDET_FORMS, which CMake does not know"
spoil cmake/formats.cmake "s/^nucdet_format(WEBP .*/&\nnucdet_format(HEIF heif.h heif libheif)/" "against CMake: HEIF is missing"
spoil deploy/container/nucdet.def "/cmake --build/d" "nucdet.def: the Dockerfile's .cmake --build /build. is missing"
if python3 -c "import yaml" 2> /dev/null; then
  spoil packaging/conda/recipe/recipe.yaml "s/version: \"$version\"/version: \"99.0.0\"/" "recipe.yaml: found 99.0.0"
  spoil packaging/conda/recipe/recipe.yaml "/- openjpeg/d" "recipe.yaml, python-nucdet: openjpeg is missing"
fi

for k in 1 2; do
  scripts/release.sh "$version" "$work/out$k" --no-wheel --no-deb > "$work/said" 2>&1 || fail "no release: $(cat "$work/said")"
done
diff -r "$work/out1" "$work/out2" || fail "a second release has other bytes"
(cd "$work/out1" && sha256sum --quiet --check SHA256SUMS) || fail "SHA256SUMS is not of the files"
[ "$(wc -l < "$work/out1/SHA256SUMS")" = 2 ] || fail "SHA256SUMS: wanted two files, found $(cat "$work/out1/SHA256SUMS")"
python3 "$source/tests/packaging/check_sbom.py" "$work/out1/nucdet-$version.spdx.json" "$work/out1" || fail "the SBOM"
mkdir "$work/unpacked" && tar -xzf "$work/out1/nucdet-$version.tar.gz" -C "$work/unpacked"
diff -r --exclude .git "$tree" "$work/unpacked/nucdet-$version" || fail "the archive is not the tree"
refused "a full folder" "is not empty" "$version" "$work/out1"
[ "$failed" = 0 ]
