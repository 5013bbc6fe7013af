#!/usr/bin/env bash
# The example in C, and where rustc is found the one in Rust, find what the program finds.
# usage: test_examples.sh EXAMPLE_C RUST_SOURCE LIBNUCDET PEER WEIGHTS NUCDET MAKE_GIANT_SLIDE
set -uo pipefail
example=$1 rust=$2 library=$3 peer=$4 weights=$5 nucdet=$6 make=$7
source "$(dirname "$0")/../tools/check.sh"
cd "$work" || exit 1
"$nucdet" synth --out tissue --images 4 --size 128 --seed 9 > /dev/null
image=$(ls tissue/images/*.png | head -1)
name=$(basename "$image" .png)
"$peer" ppm "$image" image.ppm
mapfile -t truth < <(tail -n +2 "tissue/annotations/$name.csv" | tr , '\n')
"$example" "$weights" image.ppm "${truth[@]}" > c.csv 2> said || { cat said; exit 1; }
grep -E "^1 of 1 tiles" said > /dev/null || { echo "FAILED: no progress: $(cat said)"; failed=1; }
f1=$(sed -n 's/.*F1 \(.*\)/\1/p' said)
awk "BEGIN {exit !($f1 > 0.5)}" || { echo "FAILED: F1 $f1"; failed=1; }
"$nucdet" detect "$image" --model "$weights" --threshold 0.3 --device cpu --mpp 0.25 --out found --quiet > /dev/null
awk -F, 'NR > 1 {printf "%.3f,%.3f,%.4f\n", $1, $2, $3}' "found/$name.csv" | cmp - c.csv || failed=1
[ "$(wc -l < c.csv)" -gt 10 ] || { echo "FAILED: next to nothing was found"; failed=1; }
check "weights that are not there" 1 "no.safetensors: .*no.safetensors" "$example" no.safetensors image.ppm
head -c 100 image.ppm > cut.ppm
check "an image that is cut" 1 "not an 8-bit binary PPM" "$example" "$weights" cut.ppm
"$make" slide.tif 1000 800
check "a slide" 0 "^[0-9.]+,[0-9.]+,0\.[0-9]+" "$example" "$weights" slide.tif
check "a slide that is none" 1 "image.png: " "$example" "$weights" image.png

command -v rustc > /dev/null || { echo "SKIPPED: no rustc, Rust's example was not tried"; [ $failed = 0 ] && exit 77; exit 1; }
cp "$library" libnucdet.so.0 && ln -s libnucdet.so.0 libnucdet.so
rustc --edition 2021 -D warnings "$rust" -L . -l nucdet -o by_rust || exit 1
LD_LIBRARY_PATH=. ./by_rust "$weights" image.ppm > rust.csv || failed=1
cmp rust.csv c.csv || { echo "FAILED: Rust finds others than C"; failed=1; }
check "an error in Rust" 1 "no.safetensors" env LD_LIBRARY_PATH=. ./by_rust no.safetensors image.ppm
exit $failed
