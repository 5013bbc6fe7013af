#!/usr/bin/env bash
# Installs a build and uses nucdet from two outside projects, by find_package and by add_subdirectory.
# usage: test_package.sh BUILD_DIR SOURCE_DIR COMPILER
set -euo pipefail
build=$1 source=$2 compiler=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
launcher=()
if command -v ccache > /dev/null; then launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache); fi
configure() { cmake -G Ninja -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_BUILD_TYPE=Debug "${launcher[@]}" "$@" > /dev/null; }

cmake --install "$build" --prefix "$work/prefix" > /dev/null
"$work/prefix/bin/nucdet" --version
configure -S "$source/tests/package/find_package" -B "$work/find" -DCMAKE_PREFIX_PATH="$work/prefix"
cmake --build "$work/find"
"$work/find/outside" > /dev/null
"$work/find/outside_headers" > /dev/null
if [ -e "$work/prefix/include/nucdet/cuda/launch.cuh" ]; then "$work/find/outside_gpu"; fi
configure -S "$source/tests/package/add_subdirectory" -B "$work/add" -DNUCDET_SOURCE="$source" -DNUCDET_CUDA=OFF
cmake --build "$work/add"
"$work/add/outside" > /dev/null
