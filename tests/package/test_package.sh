#!/usr/bin/env bash
# Installs a build and uses nucdet from outside projects: by find_package with and without the image libraries, by
# pkg-config, and by add_subdirectory.    usage: test_package.sh BUILD_DIR SOURCE_DIR COMPILER
set -euo pipefail
build=$1 source=$2 compiler=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cache=() launcher=()
if command -v ccache > /dev/null; then cache=(ccache) launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache); fi
configure() { cmake -G Ninja -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_BUILD_TYPE=Debug "${launcher[@]}" "$@" > /dev/null; }
wrong() { echo "$*" >&2; exit 1; }

cmake --install "$build" --prefix "$work/prefix" > /dev/null
"$work/prefix/bin/nucdet" --version

# The program is hardened.
program=$work/prefix/bin/nucdet
readelf --dynamic --wide "$program" | grep 'BIND_NOW\|Flags:.* NOW' > /dev/null || wrong "the program binds lazily"
readelf --segments --wide "$program" | grep GNU_RELRO > /dev/null || wrong "the program's tables stay writable"
readelf --symbols --wide "$program" | grep __stack_chk_fail > /dev/null || wrong "the program's stack is not guarded"

configure -S "$source/tests/package/find_package" -B "$work/find" -DCMAKE_PREFIX_PATH="$work/prefix"
cmake --build "$work/find"
"$work/find/outside" > /dev/null
"$work/find/outside_headers" > /dev/null
"$work/find/outside_slide" > /dev/null
if [ -e "$work/prefix/include/nucdet/cuda/launch.cuh" ]; then "$work/find/outside_gpu"; fi

hidden=()
for package in PNG JPEG TIFF nlohmann_json; do hidden+=("-DCMAKE_DISABLE_FIND_PACKAGE_$package=ON"); done
configure -S "$source/tests/package/cpu_only" -B "$work/cpu_only" -DCMAKE_PREFIX_PATH="$work/prefix" "${hidden[@]}"
cmake --build "$work/cpu_only"
"$work/cpu_only/both_kinds"

if [ -e "$work/prefix/include/nucdet.h" ]; then
  cmake -G Ninja -S "$source/tests/package/c" -B "$work/c" -DCMAKE_PREFIX_PATH="$work/prefix" -DCMAKE_DISABLE_FIND_PACKAGE_Eigen3=ON \
    > /dev/null
  cmake --build "$work/c"
  "$work/c/mine" "$work/prefix/share/nucdet/models/nuclei-he.safetensors" > /dev/null
fi

mv "$work/prefix" "$work/moved"  # all of it is relocatable
if command -v pkg-config > /dev/null; then
  PKG_CONFIG_PATH=$(dirname "$(find "$work/moved" -name nucdet.pc)")
  export PKG_CONFIG_PATH
  read -ra flags <<< "$(pkg-config --cflags nucdet-io)"
  read -ra libraries <<< "$(pkg-config --libs nucdet-io)"
  "${cache[@]}" "$compiler" -std=c++20 "${flags[@]}" -c "$source/tests/package/main.cpp" -o "$work/main.o"
  "$compiler" "$work/main.o" "${libraries[@]}" -o "$work/by_pkg_config"
  "$work/by_pkg_config" > /dev/null
  read -ra libraries <<< "$(pkg-config --libs nucdet-slide)"
  "${cache[@]}" "$compiler" -std=c++20 "${flags[@]}" -c "$source/tests/package/slide.cpp" -o "$work/slide.o"
  "$compiler" "$work/slide.o" "${libraries[@]}" -o "$work/slide_by_pkg_config"
  "$work/slide_by_pkg_config" > /dev/null
  if pkg-config --exists nucdet-c; then
    # [pkgconfig]
    read -ra flags <<< "$(pkg-config --cflags --libs nucdet-c)"
    cc -std=c99 "$source/tests/package/c/main.c" "${flags[@]}" -o "$work/c_by_pkg_config"
    # [pkgconfig]
    LD_LIBRARY_PATH=$(pkg-config --variable=libdir nucdet-c) "$work/c_by_pkg_config" \
      "$work/moved/share/nucdet/models/nuclei-he.safetensors" > /dev/null
  fi
else
  echo "SKIPPED: no pkg-config"
fi

# An own project in its strictest dress, from the install and as a sub-project.
strict() {  # strict COMPILER STANDARD LEVEL CMAKE_OPTION...
  command -v "$1" > /dev/null || { echo "SKIPPED: no $1"; return; }
  cmake -G Ninja -S "$source/tests/package/foreign" -B "$work/foreign" -DCMAKE_CXX_COMPILER="$1" -DCMAKE_CXX_STANDARD="$2" \
    -DCMAKE_CXX_FLAGS="$3" "${launcher[@]}" "${@:4}" > /dev/null
  local target targets=(foreign)
  if [[ $* == *NUCDET_SOURCE* ]]; then targets+=(outside); fi
  cmake --build "$work/foreign" --target "${targets[@]}"
  for target in "${targets[@]}"; do "$work/foreign/$target" > /dev/null; done
  rm -rf "$work/foreign"
}
strict "$compiler" 23 -O3 -DCMAKE_PREFIX_PATH="$work/moved"
strict clang++ 20 -O0 -DCMAKE_PREFIX_PATH="$work/moved"
strict clang++ 23 -O0 -DNUCDET_SOURCE="$source" -DCMAKE_UNITY_BUILD=ON
