#!/bin/sh
# The CPU kernels and what is built on them on 64-bit ARM: built by Debian's cross compiler, run under qemu-aarch64. The
# portable kernels become NEON there. Minutes; by hand, and before a release.
#   apt-get install g++-aarch64-linux-gnu qemu-user-static && scripts/check_neon.sh
set -eu
cd "$(dirname "$0")/.."
compiler=aarch64-linux-gnu-g++
for program in $compiler qemu-aarch64-static; do
    if ! command -v $program >/dev/null; then
        echo "SKIPPED: no $program: apt-get install g++-aarch64-linux-gnu qemu-user-static" >&2
        exit 77
    fi
done
build=build/neon
# Headers alone, which Debian keeps with the machine's libraries.
xtensor=$(dirname "$(find /usr/lib /usr/share -name xtensorConfig.cmake | head -n 1)")
cmake -S . -B $build -G Ninja -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=aarch64 \
    -DCMAKE_CXX_COMPILER=$compiler -DCMAKE_C_COMPILER=aarch64-linux-gnu-gcc \
    -Dxtensor_DIR="$xtensor" -DCMAKE_CXX_COMPILER_LAUNCHER="$(command -v ccache || true)" \
    -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_CXX_FLAGS_RELWITHDEBINFO=-O1 -DCMAKE_UNITY_BUILD=ON -DNUCDET_WERROR=ON \
    -DNUCDET_CUDA=OFF -DNUCDET_IO=OFF -DNUCDET_C=OFF -DNUCDET_PYTHON=OFF -DNUCDET_MPI=OFF -DNUCDET_ONNX=OFF \
    -DNUCDET_BUILD_TOOLS=OFF -DNUCDET_BUILD_BENCH=OFF -DNUCDET_BUILD_EXAMPLES=OFF -DNUCDET_TOOLS_ARCH= \
    "-DNUCDET_TEST_FOLDERS=exec;ops;cpu;nn;detect"
ninja -C $build tests_exec tests_ops tests_cpu tests_nn tests_detect
# What the kernels were compiled to: fused multiply-adds of four lanes.
aarch64-linux-gnu-objdump -d --no-show-raw-insn $build/CMakeFiles/nucdet_cpu_kernels.dir/src/cpu/isa_portable.cpp.o |
    grep -c 'fmla.*v[0-9]*\.4s' | { read -r count && echo "fused multiply-adds of four lanes: $count" && [ "$count" -gt 100 ]; }
# 8 GB of addresses: the emulator holds memory for all that a program reserves, and a context reserves what it might grow to.
failed=0
for folder in exec ops cpu nn detect; do
    echo "$folder:"
    qemu-aarch64-static -R 8000000000 -L /usr/aarch64-linux-gnu $build/tests/tests_$folder '~[long]' || failed=1
done
exit $failed
