#!/usr/bin/env bash
# From a fresh Debian 12 to detected nuclei: installs what is needed, builds the program, makes synthetic tissue, trains
# a small MicroNet for about a minute, detects, evaluates, and leaves pictures and curves in demo/.
set -euo pipefail
cd "$(dirname "$0")/.."
out=demo
scripts/install-dependencies.sh
cmake --preset release > /dev/null
cmake --build build/release --target nucdet_program
nucdet=build/release/tools/nucdet/nucdet

rm -rf "$out"
"$nucdet" synth --out "$out/tissue" --images 24 --size 256 --seed 1
"$nucdet" train "$out/tissue/manifest.csv" --out "$out/model" --base 8 --optimizer adamw --rate 3e-3 --schedule cosine \
  --warmup 20 --iterations 200 --validate-every 50 --crop 128 --batch 4
"$nucdet" detect "$out/tissue/manifest.csv" --split test --model "$out/model/best.safetensors" --out "$out/found" --quiet
"$nucdet" evaluate "$out/tissue/manifest.csv" --model "$out/model/best.safetensors" --out "$out/scores" --overlays --quiet
echo "pictures with hits, misses and false alarms, and the curves: $out/scores"
