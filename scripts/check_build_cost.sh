#!/usr/bin/env bash
# What it costs to compile a file that uses nucdet, as a multiple of `#include <Eigen/Core>` alone: processor time, the
# least of five runs each, taken in turn; and memory. Fails above the limits given with each row.
# usage: check_build_cost.sh [COMPILER]
set -euo pipefail
cd "$(dirname "$0")/.."
compiler=${1:-g++}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
flags=(-std=c++20 -O2 -Iinclude -isystem /usr/include/eigen3)

echo '#include <Eigen/Core>' > "$work/eigen.cpp"
for umbrella in nets detect train nucdet; do echo "#include <nucdet/$umbrella.hpp>" > "$work/$umbrella.cpp"; done
{
  sed '/^int main/,$d' examples/02_custom_network.cpp | sed 's|^#include <nucdet/nucdet.hpp>|#include <nucdet/detect.hpp>\n#include <nucdet/nets.hpp>|; s|^#include <iostream>||'
  cat << 'CPP'
struct Regressor : TinyNet {
  using head = Proximity;
};
int main() {
  nucdet::Context<nucdet::Cpu> context({.seed = 7});
  const nucdet::detect::Detector<nucdet::Cpu> detector(Network<Regressor, 3, nucdet::Cpu>{context});
  return static_cast<int>(detector(nucdet::make_image(64, 64, 3)).size());
}
CPP
} > "$work/detector.cpp"

rows=(
  "#include <Eigen/Core>|eigen.cpp||"
  "nucdet/nets.hpp, nucdet::cpu|nets.cpp|-DNUCDET_PREBUILT|"
  "nucdet/detect.hpp, nucdet::cpu|detect.cpp|-DNUCDET_PREBUILT|"
  "nucdet/train.hpp, nucdet::cpu|train.cpp|-DNUCDET_PREBUILT|"
  "nucdet/nucdet.hpp, nucdet::cpu|nucdet.cpp|-DNUCDET_PREBUILT|2.2"
  "nucdet/nucdet.hpp, headers alone|nucdet.cpp||"
  "own network and detector, nucdet::cpu|detector.cpp|-DNUCDET_PREBUILT|3.5"
  "own network and detector, headers alone|detector.cpp||"
  "training and files, nucdet::cpu|$PWD/examples/01_train.cpp|-DNUCDET_PREBUILT|6"
)
least_ms=() most_kb=()
for i in "${!rows[@]}"; do least_ms[i]=999999 most_kb[i]=0; done

cost() {  # cost ROW: compiles it once
  local file options ms kb
  IFS='|' read -r _ file options _ <<< "${rows[$1]}"
  [[ $file == /* ]] || file=$work/$file
  read -r ms kb < <(python3 - "$compiler" "${flags[@]}" ${options:+"$options"} -c "$file" -o "$work/o" << 'PY'
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(int((used.ru_utime + used.ru_stime) * 1000), used.ru_maxrss)
PY
)
  [ "$ms" -ge "${least_ms[$1]}" ] || least_ms[$1]=$ms
  [ "$kb" -le "${most_kb[$1]}" ] || most_kb[$1]=$kb
}
for _ in 1 2 3 4 5; do for i in "${!rows[@]}"; do cost "$i"; done; done

missed=0
for i in "${!rows[@]}"; do
  IFS='|' read -r what _ _ limit <<< "${rows[i]}"
  ratio=$((least_ms[i] * 1000 / least_ms[0]))  # thousandths
  printf '%-40s %6d ms  %6.2f times  %4d MB' "$what" "${least_ms[i]}" "${ratio}e-3" "$((most_kb[i] / 1024))"
  if [ -n "$limit" ]; then
    printf '   at most %s' "$limit"
    if [ "$ratio" -gt "$(printf '%.0f' "${limit}e3")" ]; then missed=1; printf ': missed'; fi
  fi
  echo
done
exit $missed
