#!/usr/bin/env bash
# Feeds every reader of files with damaged and invented inputs (libFuzzer, address and undefined-behaviour sanitizers), from
# the samples in tests/fuzz/corpus and with what was found on the way, in build/fuzz/corpus. An input that crashes, takes
# more than 5 seconds or more than 1 GB ends the run and is kept in build/fuzz/found.
# usage: fuzz.sh MINUTES [READER...]      all readers together take MINUTES; e.g. fuzz.sh 0.25 image
set -euo pipefail
cd "$(dirname "$0")/.."
minutes=${1:?usage: fuzz.sh MINUTES [READER...]}
shift
mkdir -p build/fuzz/found
quietly() {  # quietly LOG COMMAND...: what it printed is shown if it fails
  local log=$1
  shift
  "$@" > "$log" 2>&1 || { tail -n 40 "$log"; exit 1; }
}
# With instrumented codecs (scripts/instrumented-codecs.sh), where they have been built.
codecs=()
if [ -f build/fuzz/codecs/lib/libtiff.a ]; then
  codecs=(-DCMAKE_PREFIX_PATH="$PWD/build/fuzz/codecs" -DCMAKE_EXE_LINKER_FLAGS="-L$PWD/build/fuzz/codecs/lib"
    -DCMAKE_CXX_STANDARD_LIBRARIES="-ltiff -ljpeg -lwebp -ldeflate -llzma -lzstd -lz -lm")
fi
quietly build/fuzz/configure.log cmake "${codecs[@]}" -S . -B build/fuzz -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo \
  -DCMAKE_CXX_FLAGS_RELWITHDEBINFO="-O1 -g1" -DCMAKE_CXX_COMPILER=clang++ -DCMAKE_CXX_COMPILER_LAUNCHER="$(command -v ccache || true)" \
  -DCMAKE_UNITY_BUILD=ON -DNUCDET_BUILD_FUZZERS=ON -DNUCDET_CUDA=OFF -DNUCDET_BUILD_TOOLS=OFF -DNUCDET_BUILD_BENCH=OFF -DNUCDET_BUILD_EXAMPLES=OFF
quietly build/fuzz/build.log cmake --build build/fuzz --target fuzzers

readers=("$@")
if [ ${#readers[@]} = 0 ]; then
  for target in build/fuzz/tests/fuzz/fuzz_*; do
    if [ -x "$target" ] && [ -f "$target" ]; then readers+=("${target##*/fuzz_}"); fi
  done
fi
workers=$(nproc)
[ "$workers" -le ${#readers[@]} ] || workers=${#readers[@]}
seconds=$(awk -v m="$minutes" -v n=${#readers[@]} -v w="$workers" 'BEGIN {s = int(60 * m * w / n); print (s < 1 ? 1 : s)}')

fuzz() {  # fuzz READER: its line of the result
  local reader=$1 log=build/fuzz/$1.log
  # OpenSlide asks for what a file claims and goes on without it; our own "new" still ends the run.
  [ "$reader" != slide ] || export ASAN_OPTIONS=allocator_may_return_null=1:max_allocation_size_mb=1024
  mkdir -p "build/fuzz/corpus/$reader"
  if ! build/fuzz/tests/fuzz/fuzz_"$reader" "build/fuzz/corpus/$reader" "tests/fuzz/corpus/$reader" -max_total_time="$seconds" \
    -timeout=5 -rss_limit_mb=1024 -malloc_limit_mb=1024 -max_len=65536 -artifact_prefix="build/fuzz/found/$reader-" \
    -print_final_stats=1 > "$log" 2>&1; then
    echo "FAILED  $reader"
    grep -E "ERROR|SUMMARY|Test unit written|ALARM" "$log" | head -n 5
    return 1
  fi
  echo "ok      $reader: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs, at most $(sed -n 's/^stat::peak_rss_mb: *//p' "$log") MB"
}
export -f fuzz
export seconds
status=0
printf '%s\n' "${readers[@]}" | xargs -P "$workers" -I{} bash -c 'fuzz {}' | tee build/fuzz/result.txt || status=1
if grep -q '^FAILED' build/fuzz/result.txt; then status=1; fi
awk '/ inputs/ {sum += $3} END {printf "%d inputs in all\n", sum}' build/fuzz/result.txt
exit "$status"
