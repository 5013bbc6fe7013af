#!/usr/bin/env bash
# Builds libtiff, libpng, libjpeg-turbo, OpenJPEG and libwebp from Debian's sources with the sanitizers and fuzzing's coverage
# inside, in build/fuzz/codecs: scripts/fuzz.sh then links these, and sees the ways that an input takes through them. Needs a
# list of Debian's sources (it makes one of its own from the system's) and some minutes.
# usage: instrumented-codecs.sh
set -euo pipefail
cd "$(dirname "$0")/.."
here=$PWD/build/fuzz/codecs
mkdir -p "$here/sources/lists/partial" "$here/sources/archives/partial"
cd "$here/sources"
list=$PWD/debian.sources
awk -v RS= '/Types: deb/ && !/security/ {sub("Types: deb", "Types: deb-src"); print $0 "\n"}' \
  /etc/apt/sources.list.d/debian.sources > "$list" 2> /dev/null || true
if [ ! -s "$list" ]; then list=$PWD/debian.list && sed -n '/security/!s/^deb /deb-src /p' /etc/apt/sources.list > "$list"; fi
apt=(apt-get -qq -o Dir::Etc::sourcelist="$list" -o Dir::Etc::sourceparts=- -o Dir::State::lists="$PWD/lists"
  -o APT::Sandbox::User=root)
"${apt[@]}" update
flags="-O1 -g1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined -fno-sanitize=shift,alignment,function,pointer-overflow,signed-integer-overflow,unsigned-integer-overflow"

build() {  # build SOURCE-PACKAGE CMAKE-OPTION...
  local package=$1 folder
  shift
  [ -d "$package" ] || { mkdir "$package" && (cd "$package" && "${apt[@]}" source --download-only "$package" && dpkg-source --no-check -x ./*.dsc source > /dev/null); }
  folder=$package/source
  cmake -S "$folder" -B "$package/build" -G Ninja -DCMAKE_C_COMPILER=clang -DCMAKE_CXX_COMPILER=clang++ -DCMAKE_C_FLAGS="$flags" \
    -DCMAKE_CXX_FLAGS="$flags" -DCMAKE_BUILD_TYPE=None -DBUILD_SHARED_LIBS=OFF -DCMAKE_INSTALL_PREFIX="$here" -DCMAKE_INSTALL_LIBDIR=lib \
    -DCMAKE_PREFIX_PATH="$here" "$@" > "$package/configure.log" 2>&1 || { tail -n 20 "$package/configure.log"; return 1; }
  cmake --build "$package/build" --target install > "$package/build.log" 2>&1 || { tail -n 20 "$package/build.log"; return 1; }
  echo "built $package"
}
build libpng1.6 -DPNG_SHARED=OFF -DPNG_TESTS=OFF
build libjpeg-turbo -DENABLE_SHARED=OFF -DWITH_TURBOJPEG=OFF -DWITH_SIMD=OFF
build openjpeg2 -DBUILD_CODEC=OFF
build libwebp -DWEBP_BUILD_ANIM_UTILS=OFF -DWEBP_BUILD_CWEBP=OFF -DWEBP_BUILD_DWEBP=OFF -DWEBP_BUILD_GIF2WEBP=OFF -DWEBP_BUILD_IMG2WEBP=OFF \
  -DWEBP_BUILD_VWEBP=OFF -DWEBP_BUILD_WEBPINFO=OFF -DWEBP_BUILD_WEBPMUX=OFF -DWEBP_BUILD_EXTRAS=OFF
build tiff -Dtiff-tools=OFF -Dtiff-tests=OFF -Dtiff-contrib=OFF -Dtiff-docs=OFF -Djbig=OFF -Dlerc=OFF
