#!/usr/bin/env bash
# Installs what is needed on Debian 12, builds everything with warnings as errors and runs every test; then the checks
# that no test can make: layout, include rules, a second compiler with sanitizers, some fuzzing.
# usage: test.sh [--quick | --whole]
#   --quick   g++ and its tests only
#   --whole   besides, each public header and each source compiled alone (a quarter of an hour): else their text is read
set -euo pipefail
cd "$(dirname "$0")/.."
quick=0 whole=0
case ${1:-} in
  "") ;;
  --quick) quick=1 ;;
  --whole) whole=1 ;;
  *) echo "usage: $0 [--quick | --whole]" >&2; exit 2 ;;
esac
passed=0 failed=0 skipped=0

step() {  # step WHAT COMMAND...: one check, counted
  local what=$1 begin=$SECONDS log
  shift
  log=$(mktemp)
  if "$@" > "$log" 2>&1; then
    passed=$((passed + 1))
    echo "ok      $what ($((SECONDS - begin)) s)"
  else
    failed=$((failed + 1))
    echo "FAILED  $what ($((SECONDS - begin)) s)"
    tail -n 60 "$log"
  fi
  rm -f "$log"
}
tests() {  # tests PRESET [CTEST OPTION...]: every test of a build, counted one by one
  local preset=$1 junit=$PWD/build/$1/tests.xml
  shift
  rm -f "$junit"
  ctest --preset "$preset" --parallel "$(($(nproc) + 1))" --output-junit "$junit" "$@" || true
  count() { sed -n "s/.*[[:space:]]$1=\"\([0-9]*\)\".*/\1/p" "$junit" | head -n 1; }
  [ -s "$junit" ] || { failed=$((failed + 1)); return; }
  passed=$((passed + $(count tests) - $(count failures) - $(count skipped) - $(count disabled)))
  failed=$((failed + $(count failures))) skipped=$((skipped + $(count skipped)))
}
formatted() {
  git ls-files -z '*.hpp' '*.cpp' '*.cu' '*.cuh' | xargs -0 clang-format-14 --dry-run --Werror
}

# The presets compile sources in batches, which hide what one of them forgot to include.
alone() {
  cmake --preset release -B build/alone -DCMAKE_CXX_FLAGS_RELEASE=-O0 -DNUCDET_WERROR=ON -DNUCDET_CUDA=OFF && cmake --build build/alone
}

scripts/install-dependencies.sh --tests
step "configure" cmake --preset ci -DPython3_EXECUTABLE=/usr/bin/python3  # which has what was installed
if ! command -v "${CUDACXX:-nvcc}" > /dev/null; then
  echo "note    no nvcc: CUDA's own compiler is left out; the CUDA sources run on an emulated device"
fi
step "build, g++" cmake --build build/ci
tests ci
if [ "$quick" = 0 ]; then
  step "layout (clang-format)" formatted
  step "include rules" scripts/check_includes.py
  step "files include what they name" scripts/check_named.py
  step "documents" scripts/check_docs.py
  step "interface reference (Doxygen)" cmake --build build/ci --target docs
  if [ "$whole" = 1 ]; then
    step "headers alone" cmake --build build/ci --target all_verify_interface_header_sets
    step "sources alone" alone
  fi
  step "configure, clang with sanitizers" cmake --preset clang
  step "build, clang with sanitizers" cmake --build build/clang
  tests clang --exclude-regex 'package|resume|studies|faults|cases|roundtrip|annotation_store|site|napari|onnx_runtime|capi_peers|(detect|evaluate)_slide|mpi_'
  step "fuzzing, 10 s a reader" scripts/fuzz.sh 0.67
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
