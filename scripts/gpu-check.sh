#!/usr/bin/env bash
# Everything that only a machine with an NVIDIA GPU can tell of nucdet::cuda, in one command and without a network:
# builds it, runs its tests on the device, compute-sanitizer, a training, the benches, and PyTorch beside them.
# usage: gpu-check.sh [--sysroot DIR] [--data DIR] [--build DIR] [--out DIR] [--peers] [--sanitize] [--quick]
#   --sysroot DIR  Debian's development packages, unpacked; without it the system's own are used
#   --data DIR     a data set with manifest.csv, or the folder of nuinsseg-human23 or monuseg-tiles: trains, evaluates
#   --build DIR    build folder (build/gpu)
#   --out DIR      logs, figures, weights and pictures (build/gpu-check)
#   --peers        times PyTorch too; with --budget S no variant of it starts after S seconds (240)
#   --sanitize     compute-sanitizer must be there; otherwise it runs where it is there
#   --quick        no compute-sanitizer unless --sanitize, benches in bf16 only
# Needs nvcc, cmake, ninja and python3. Without a device it configures and compiles for compute capability 9.0, and all
# that needs the device is skipped.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
sysroot="" data="" build=$root/build/gpu out=$root/build/gpu-check peers=0 budget=240 sanitize=0 quick=0
usage() { sed -n '/^# usage/,/^[^#]/s/^# \{0,1\}//p' "$0"; }
while [ $# -gt 0 ]; do
  case $1 in
    --sysroot | --data | --build | --out | --budget)
      [ $# -gt 1 ] || { usage >&2; exit 2; }
      case $1 in --budget) budget=$2 ;; *) printf -v "${1#--}" %s "$(realpath -m "$2")" ;; esac
      shift 2 ;;
    --peers | --sanitize | --quick) printf -v "${1#--}" 1; shift ;;
    --help | -h) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
done
cd "$root"
mkdir -p "$out"
rm -f "$out"/*.log "$out"/bench-*.json "$out"/bench_cuda.json "$out"/pytorch.json  # an old figure is no figure
passed=0 failed=0 skipped=0 status=0 log="" libraries=${LD_LIBRARY_PATH:-} cudnn="" cudnn_include="" nccl="" gpus=0

skip() { status=77 skipped=$((skipped + 1)); echo "skipped $1: $2"; }
step() {  # step WHAT COMMAND...: one check, counted; exit status 77 is a skipped one
  local what=$1 begin=$SECONDS
  status=0
  shift
  log=$out/$(printf %02d $((passed + failed + skipped)))-$(tr -cs 'a-z0-9\n' - <<< "${what,,}").log
  "$@" > "$log" 2>&1 < /dev/null || status=$?
  case $status in
    0) passed=$((passed + 1)); echo "ok      $what ($((SECONDS - begin)) s)" ;;
    77) skip "$what" "$(tail -n 1 "$log")" ;;
    *) failed=$((failed + 1)); echo "FAILED  $what (status $status, $((SECONDS - begin)) s)"; tail -n 40 "$log" ;;
  esac
}
told() { [ $status != 0 ] || tail -n "$1" "$log" | sed 's/^/        /'; }  # told LINES: what the last step said
on_device() { if [ -n "$gpu" ]; then step "$@"; else skip "$1" "no device"; fi; }
# Only our programs see the sysroot's libraries and this cuDNN: python3 and the compilers have their own.
ours() {
  env LD_LIBRARY_PATH="${libraries%:}" ${cudnn:+NUCDET_CUDNN="$cudnn"} ${nccl:+NUCDET_NCCL="$nccl"} "$@"
}

find_cudnn() {  # the folder `nvidia` of python3's packages that has cuDNN, as PyTorch brings it
  python3 - << 'EOF'
import importlib.util, pathlib
torch, nvidia = (importlib.util.find_spec(name) for name in ("torch", "nvidia"))
places = [pathlib.Path(torch.origin).parents[1] / "nvidia"] if torch and torch.origin else []
places += [pathlib.Path(place) for place in (nvidia.submodule_search_locations if nvidia else ())]
print(next((place for place in places if (place / "cudnn/lib").is_dir()), ""))
EOF
}
look_around() {  # sets gpu, arch, cudnn, cudnn_include and libraries, and says what there is
  local nvcc packages
  gpu=$(nvidia-smi --query-gpu=name,compute_cap,driver_version,memory.total --format=csv,noheader 2> "$out/smi.log") ||
    gpu=""
  if [ -n "$gpu" ]; then gpus=$(wc -l <<< "$gpu"); fi
  gpu=${gpu%%$'\n'*}
  arch=$(sed -n 's/^[^,]*, *\([0-9]*\)\.\([0-9]*\),.*/\1\2/p' <<< "$gpu")
  nvcc=$(command -v nvcc || echo /usr/local/cuda/bin/nvcc)
  export CUDACXX=$nvcc
  [ -e "$(dirname "$(realpath -m "$nvcc")")/../include/cudnn.h" ] || cudnn_include=missing
  packages=$(find_cudnn 2> /dev/null) || packages=""
  if [ -n "$packages" ]; then
    cudnn=$(find "$packages/cudnn/lib" -name 'libcudnn.so.9' | head -n 1)
    nccl=$(find "$packages/nccl/lib" -name 'libnccl.so.2' 2> /dev/null | head -n 1) || nccl=""
    [ -z "$cudnn_include" ] || [ ! -e "$packages/cudnn/include/cudnn.h" ] || cudnn_include=$packages/cudnn/include
    libraries=$packages/cudnn/lib:$packages/cu13/lib:$libraries  # cuDNN loads cuBLAS and NVRTC by name
  fi
  [ -z "$sysroot" ] || libraries=$sysroot/usr/lib/x86_64-linux-gnu:$sysroot/lib/x86_64-linux-gnu:$libraries
  echo "device: ${gpu:-none: a dry run, compiled for compute capability 9.0; what needs the device is skipped}"
  echo "nvcc: $nvcc, $("$nvcc" --version 2> /dev/null | sed -n 's/.*release //p')"
  echo "cuDNN: ${cudnn:-what the loader finds}; headers: ${cudnn_include:-in the toolkit}"
  echo "NCCL: ${nccl:-what the loader finds}; GPUs: $gpus"
  echo "processors: $(nproc); logs: $out"
}
mend_links() {  # Debian has a few absolute links between packages, which lead out of a sysroot
  find "$sysroot" -type l -lname '/*' | while read -r link; do
    [ ! -e "$sysroot$(readlink "$link")" ] || ln -sfr "$sysroot$(readlink "$link")" "$link"
  done
}
configure() {
  local options=(-DNUCDET_BUILD_TESTS=ON -DNUCDET_BUILD_BENCH=ON -DNUCDET_BUILD_TOOLS=ON -DNUCDET_BUILD_EXAMPLES=OFF)
  [ -z "$sysroot" ] || options+=("-DCMAKE_PREFIX_PATH=$sysroot/usr" -DCMAKE_LIBRARY_ARCHITECTURE=x86_64-linux-gnu
    "-DCMAKE_EXE_LINKER_FLAGS=-Wl,-rpath-link,$sysroot/usr/lib/x86_64-linux-gnu:$sysroot/lib/x86_64-linux-gnu")
  [ ! -d "$cudnn_include" ] || options+=("-DCUDNN_INCLUDE_DIR=$cudnn_include")
  if command -v ccache; then options+=(-DCMAKE_{CXX,CUDA}_COMPILER_LAUNCHER=ccache); fi
  cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DNUCDET_CUDA=ON \
    -DCMAKE_CUDA_ARCHITECTURES="${arch:-90}" "${options[@]}"
}
sanitizer() {  # sanitizer TOOL: the small tests, for the others would take minutes
  ours timeout 180 compute-sanitizer --tool "$1" --error-exitcode 1 "$build/tests/cuda/tests_cuda" -w NoTests \
    "cuda: runs*,cuda: sums*,cuda: selected*,cuda: activations*"
}
train() {  # train NAME OPTION...: from scratch, into OUT/NAME
  rm -rf "${out:?}/$1"
  ours "$nucdet" train "$manifest" --out "$out/$1" --net micronet --base 8 --device cuda --quiet "${@:2}"
}
repeats() {  # the same seed twice gives the same bytes
  local short=(--iterations 20 --validate-every 20 --precision fp32 --seed 7)
  train twice-a "${short[@]}" && train twice-b "${short[@]}" &&
    cmp "$out/twice-a/best.safetensors" "$out/twice-b/best.safetensors" &&
    cmp "$out/twice-a/last.safetensors" "$out/twice-b/last.safetensors"
}
use_data() {
  local manifest="" weights=$out/train/best.safetensors place on=(--device cuda --precision bf16 --quiet)
  for place in "$data" "$data/nuinsseg-human23" "$data/monuseg-tiles"; do
    if [ -z "$manifest" ] && [ -e "$place/manifest.csv" ]; then manifest=$place/manifest.csv; fi
  done
  [ -n "$manifest" ] || { step "data" ls "$data/manifest.csv"; return; }
  on_device "train: 300 iterations, bf16" train train --iterations 300 --validate-every 100 --precision bf16
  told 1
  on_device "detect" ours "$nucdet" detect "$manifest" --split val --model "$weights" --out "$out/found" --overlay \
    "${on[@]}"
  on_device "evaluate" ours "$nucdet" evaluate "$manifest" --model "$weights" --out "$out/scores" "${on[@]}"
  told 3
  on_device "train twice, fp32: the same bytes" repeats
}
bench() {  # bench BASE PRECISION SIZE BATCH: a forward pass and a detection of that size, a step of BATCH crops
  on_device "bench: base $1, $2, $3x$3, $4 crops" ours "$nucdet" bench --device cuda --net micronet --base "$1" --precision "$2" \
    --height "$3" --width "$3" --batch "$4" --crop 200 --json "$out/bench-$1-$2-$3.json"
}
benches() {
  local precision base precisions=(bf16)
  on_device "bench_cuda" ours "$build/bench/bench_cuda" --benchmark_out_format=json \
    --benchmark_out="$out/bench_cuda.json"
  [ "$quick" = 1 ] || precisions+=(tf32 fp32)
  for precision in "${precisions[@]}"; do
    for base in 32 16 8; do bench $base "$precision" 1024 4; bench $base "$precision" 512 64; done
  done
}

look_around
nucdet=$build/tools/nucdet/nucdet
if [ -n "$sysroot" ]; then step "links of the sysroot" mend_links; fi
step "configure" configure
step "build" ninja -k 0 -C "$build" nucdet_cuda tests_cuda tests_cuda_emulated test_nccl_ranks bench_cuda nucdet_program
on_device "nucdet doctor" ours "$nucdet" doctor
told 20
step "tests_cuda" ours "$build/tests/cuda/tests_cuda"
step "tests_cuda_emulated" ours "$build/tests/cuda/tests_cuda_emulated"
on_device "NCCL, one rank" ours "$build/tests/cuda/test_nccl_ranks"
told 1
if [ "$gpus" -gt 1 ] && command -v mpirun > /dev/null; then
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
  on_device "NCCL, $gpus ranks" ours mpirun -n "$gpus" "$build/tests/cuda/test_nccl_ranks"
  told 1
fi
if [ "$sanitize" = 1 ] || { [ "$quick" = 0 ] && command -v compute-sanitizer > /dev/null; }; then
  on_device "compute-sanitizer memcheck" sanitizer memcheck
  on_device "compute-sanitizer racecheck" sanitizer racecheck
fi
if [ -n "$data" ]; then use_data; fi
benches
if [ "$peers" = 1 ]; then
  on_device "PyTorch" timeout $((budget + 240)) python3 bench/peers/pytorch_cuda.py --budget "$budget" \
    --json "$out/pytorch.json"
fi
echo
scripts/gpu_table.py "$out" || true
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
