#!/usr/bin/env bash
# What it costs to compile a network of one's own, as a multiple of `#include <Eigen/Core>` alone: with nucdet::cpu
# (NUCDET_PREBUILT) and with the headers alone. The least of five runs each, taken in turn.
# The limits: 4 times with nucdet::cpu, and 1 GB. usage: check_build_cost.sh [COMPILER]
set -euo pipefail
cd "$(dirname "$0")/.."
compiler=${1:-g++}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
echo '#include <Eigen/Core>' > "$work/eigen.cpp"
flags=(-std=c++20 -O2 -Iinclude -isystem /usr/include/eigen3)
least_s=(999999 999999 999999) most_kb=(0 0 0)

cost() {  # cost SLOT COMMAND...
  local slot=$1 seconds kb
  shift
  read -r seconds kb < <(python3 - "$@" << 'PY'
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(int((used.ru_utime + used.ru_stime) * 1000), used.ru_maxrss)
PY
)
  [ "$seconds" -ge "${least_s[slot]}" ] || least_s[slot]=$seconds
  [ "$kb" -le "${most_kb[slot]}" ] || most_kb[slot]=$kb
}
for _ in 1 2 3 4 5; do
  cost 0 "$compiler" "${flags[@]}" -c "$work/eigen.cpp" -o "$work/o"
  cost 1 "$compiler" "${flags[@]}" -DNUCDET_PREBUILT -c examples/02_custom_network.cpp -o "$work/o"
  cost 2 "$compiler" "${flags[@]}" -c examples/02_custom_network.cpp -o "$work/o"
done
line() {  # line WHAT SLOT
  printf '%-34s %5d ms  %5.2f times  %4d MB\n' "$1" "${least_s[$2]}" \
    "$((least_s[$2] * 1000 / least_s[0]))e-3" "$((most_kb[$2] / 1024))"
}
line "#include <Eigen/Core>" 0
line "own network, with nucdet::cpu" 1
line "own network, headers alone" 2
[ $((least_s[1])) -le $((4 * least_s[0])) ] && [ "${most_kb[1]}" -le 1000000 ]
