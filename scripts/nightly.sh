#!/bin/sh
# What a night is for: the speed beside the peers against the ratios that are kept (bench/check.py), on an otherwise idle
# machine. Prints the tables; the exit status is that of the check. Needs libopenblas0-pthread and python3-torch (Debian).
#   scripts/nightly.sh [BUILD]        default: build/nightly, made here
set -eu
cd "$(dirname "$0")/.."
build=${1:-build/nightly}
cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DNUCDET_BUILD_TESTS=OFF -DNUCDET_BUILD_EXAMPLES=OFF
ninja -C "$build" nucdet_program peer_network
[ -x build/peers/bin/python ] || /usr/bin/python3 -m venv --system-site-packages build/peers
build/peers/bin/pip install -q -r bench/peers/requirements.txt
exec build/peers/bin/python bench/check.py "$build"
