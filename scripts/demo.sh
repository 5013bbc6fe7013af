#!/usr/bin/env bash
# From a fresh Debian 12 to detected nuclei: installs what is needed, builds the program, finds nuclei with the weights
# that come with it, in the image or slide given or in synthetic tissue; then trains a small network on the synthetic
# tissue for about a minute, and leaves pictures and curves in demo/ (demo-2/, ... where that is there: nothing is removed).
# usage: demo.sh [IMAGE or SLIDE]
#   IMAGE: PNG, JPEG or TIFF, H&E at 40x (0.25 um a pixel)    SLIDE: SVS, NDPI, MRXS, OME-TIFF, ..., which says how large
#   a pixel is
set -euo pipefail
image=${1:+$(realpath "$1")}
cd "$(dirname "$0")/.."
out=demo
for ((k = 2; ; ++k)); do
  if [ ! -e "$out" ] && [ ! -L "$out" ]; then break; fi
  out=demo-$k
done
scripts/install-dependencies.sh
cmake --preset release > /dev/null
cmake --build build/release --target nucdet_program
nucdet=build/release/tools/nucdet/nucdet

if [ -n "$image" ]; then
  "$nucdet" detect "$image" --out "$out/found" --overlay --geojson --report "$out/found/run/1.jsonl" --quiet
  "$nucdet" report "$out/found/run" --out "$out/report.html" > /dev/null
  name=$(basename "${image%.*}")
  picture=$out/found/$name.overlay.png what="each nucleus on the image"
  if [ -e "$out/found/$name.overview.png" ]; then
    picture=$out/found/$name.overview.png what="the slide, its tissue's outline and the density of nuclei"
  fi
  printf 'in your image, %s nuclei:\n' "$(($(wc -l < "$out/found/$name.csv") - 1))"
  printf '  %-46s %s\n' "$picture" "$what" "$out/found/$name.csv" "centres in pixels, scores" \
    "$out/found/$name.geojson" "the same for QuPath" "$out/report.html" "a page to look at"
fi
"$nucdet" synth --out "$out/tissue" --images 24 --size 256 --seed 1
echo "the weights that come with the program, which never saw synthetic tissue:"
"$nucdet" detect "$out/tissue/manifest.csv" --split test --out "$out/shipped" --overlay --quiet
"$nucdet" evaluate "$out/tissue/manifest.csv" --predictions "$out/shipped" --quiet
echo "a small network, trained on synthetic tissue:"
"$nucdet" train "$out/tissue" --out "$out/model" --base 16 --iterations 200 --validate-every 50 --crop 128
"$nucdet" detect "$out/tissue/manifest.csv" --split test --model "$out/model/best.safetensors" --out "$out/found-small" \
  --quiet
"$nucdet" evaluate "$out/tissue/manifest.csv" --model "$out/model/best.safetensors" --out "$out/scores" --overlays --quiet
echo "pictures with hits, misses and false alarms, and the curves: $out/scores"
