#!/usr/bin/env bash
# ThreadSanitizer over the C interface and all that it calls: compiles libnucdet once more with it, and runs
# tests/threads/c_interface.cpp on that: threads that share a detector, have their own, fail and cancel each other. A race ends it
# with the sanitizer's report. Not a part of scripts/test.sh, which has the core under ThreadSanitizer, since it compiles for some
# minutes; without OpenSlide and GLib, whose locks the sanitizer does not see.
# usage: check_threads.sh [ROUNDS]      images for each thread, 50
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=${1:-50}
build=$PWD/build/threads
launcher=()
if command -v ccache > /dev/null; then launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache); fi
flags="-O1 -g1 -fno-omit-frame-pointer -fsanitize=thread"
cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=None -DCMAKE_C_FLAGS="$flags" -DCMAKE_CXX_FLAGS="$flags" "${launcher[@]}" \
  -DNUCDET_C=ON -DNUCDET_CUDA=OFF -DNUCDET_MPI=OFF -DNUCDET_ONNX=OFF -DNUCDET_PYTHON=OFF -DNUCDET_OPENSLIDE=OFF \
  -DNUCDET_TOOLS_ARCH= -DNUCDET_BUILD_TESTS=ON -DNUCDET_BUILD_BENCH=OFF -DNUCDET_BUILD_EXAMPLES=OFF > /dev/null
cmake --build "$build" --target capi_threads capi_peer make_giant_slide
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$build/tests/capi/capi_peer" weights "$work/small.safetensors"
"$build/tests/make_giant_slide" "$work/slide.tif" 300 200 tissue
TSAN_OPTIONS="halt_on_error=1 second_deadlock_stack=1 ${TSAN_OPTIONS:-}" \
  "$build/tests/capi/capi_threads" "$work/small.safetensors" "$work/slide.tif" "$rounds"
