#!/usr/bin/env bash
# Every file here must fail to compile, with all that its "// wanted:" lines say, in 20 lines at most; a right network
# must compile.
# usage: check.sh COMPILER SOURCE_DIR [OPTION...]
set -uo pipefail
compiler=$1 source=$2
shift 2
failed=0 count=0
for file in "$source"/tests/compile_fail/*.cpp; do
  name=$(basename "$file" .cpp)
  mapfile -t wanted < <(sed -n 's|^// wanted: ||p' "$file")
  [ "${#wanted[@]}" -gt 0 ] || { echo "$name: no '// wanted:' line"; failed=1; continue; }
  if output=$("$compiler" -std=c++20 -fsyntax-only -DNUCDET_PREBUILT -I"$source/include" "$@" "$file" 2>&1); then
    echo "$name: compiles, but must not"
    failed=1
  else
    for sentence in "${wanted[@]}"; do
      grep -qE -- "$sentence" <<< "$output" && continue
      echo "$name: wanted '$sentence' in:"
      head -n 20 <<< "$output"
      failed=1
    done
    if [ "$(wc -l <<< "$output")" -gt 20 ]; then
      echo "$name: $(wc -l <<< "$output") lines, wanted at most 20"
      failed=1
    fi
  fi
  count=$((count + 1))
done
if ! "$compiler" -std=c++20 -fsyntax-only -DNUCDET_PREBUILT -DNUCDET_RIGHT -I"$source/include" "$@" \
    "$source/tests/compile_fail/even_kernel.cpp"; then
  echo "the right network does not compile either"
  failed=1
fi
[ "$count" -ge 10 ] || { echo "only $count files found"; failed=1; }
exit $failed
