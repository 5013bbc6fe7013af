#!/usr/bin/env bash
# The program from the outside: every subcommand, its files, its exit codes and its messages.
# usage: test_program.sh NUCDET
set -uo pipefail
nucdet=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

# check WHAT EXPECTED_CODE PATTERN COMMAND...: the exit code, and a pattern in what it prints
check() {
  local what=$1 code=$2 pattern=$3 out got
  shift 3
  out=$("$@" 2>&1)
  got=$?
  if [ "$got" -ne "$code" ] || ! grep -qE -- "$pattern" <<< "$out"; then
    echo "FAILED $what: exit code $got (wanted $code), wanted '$pattern' in:"
    head -5 <<< "$out"
    failed=1
  fi
}
has() { for file in "$@"; do [ -s "$work/$file" ] || { echo "FAILED: no $file"; failed=1; }; done; }

check "version" 0 "nucdet [0-9]+\.[0-9]+" "$nucdet" --version
check "help" 0 "Examples" "$nucdet" train --help
check "no command" 2 "subcommand" "$nucdet"
check "unknown option" 2 "nonsense" "$nucdet" detect a.png --model b --out c --nonsense
check "summary" 0 "11724705 parameters" "$nucdet" summary --base 32 --height 512 --width 512
check "unknown network" 2 "no network 'micronet base 7" "$nucdet" summary --base 7

check "synth" 0 "manifest.csv" "$nucdet" synth --out "$work/data" --images 8 --size 96 --seed 3
check "synth twice" 2 "manifest.csv" "$nucdet" synth --out "$work/data" --images 8 --size 96
check "train" 0 "validation F1" "$nucdet" train "$work/data/manifest.csv" --out "$work/run" --base 4 --iterations 6 --validate-every 3 --crop 48 --batch 2 --quiet
has run/best.safetensors run/last.safetensors run/log.csv run/loss.svg
check "train again" 2 "--resume" "$nucdet" train "$work/data/manifest.csv" --out "$work/run" --base 4
check "resume with other settings" 2 "train.crop is '48', now '64'" "$nucdet" train "$work/data/manifest.csv" --out "$work/run" --base 4 --iterations 6 --validate-every 3 --crop 64 --batch 2 --resume --quiet
check "train without data" 4 "nowhere" "$nucdet" train "$work/nowhere.csv" --out "$work/x" --base 4
check "train without that split" 4 "split 'none'" "$nucdet" train "$work/data/manifest.csv" --out "$work/x" --split none

image=$(ls "$work"/data/images/*.png | head -1)
name=$(basename "$image" .png)
check "detect" 0 "$name" "$nucdet" detect "$image" --model "$work/run/best.safetensors" --out "$work/found" --overlay --geojson --quiet
has "found/$name.csv" "found/$name.json" "found/$name.overlay.png" "found/$name.geojson"
check "detect from a checkpoint" 0 "$name" "$nucdet" detect "$image" --model "$work/run/last.safetensors" --out "$work/found2" --quiet
check "detect a manifest" 0 "csv" "$nucdet" detect "$work/data/manifest.csv" --split test --model "$work/run/best.safetensors" --out "$work/all" --quiet
head -c 300 "$image" > "$work/broken.png"
check "truncated image" 4 "broken.png" "$nucdet" detect "$work/broken.png" --model "$work/run/best.safetensors" --out "$work/found" --quiet
check "one image of two" 3 "broken.png" "$nucdet" detect "$work/broken.png" "$image" --model "$work/run/best.safetensors" --out "$work/found3" --quiet
has "found3/$name.csv"
head -c 1000 "$work/run/best.safetensors" > "$work/cut.safetensors"
check "truncated weights" 4 "cut.safetensors" "$nucdet" detect "$image" --model "$work/cut.safetensors" --out "$work/found" --quiet
check "tile too small" 2 "TileGrid|margin" "$nucdet" detect "$image" --model "$work/run/best.safetensors" --out "$work/found" --tile 64 --quiet

check "evaluate" 0 "pooled" "$nucdet" evaluate "$work/data/manifest.csv" --model "$work/run/best.safetensors" --out "$work/scores" --overlays --quiet
has scores/scores.json scores/organs.csv scores/images.csv scores/curve.csv scores/curve.svg scores/threshold.svg
check "evaluate above a high floor" 0 "pooled .* 0.0000  0.0000" "$nucdet" evaluate "$work/data/manifest.csv" --model "$work/run/best.safetensors" --floor 1e9 --quiet
check "evaluate detections" 0 "pooled" "$nucdet" evaluate "$work/data/manifest.csv" --predictions "$work/all" --matcher greedy --quiet
check "evaluate the truth itself" 0 "pooled .* 1.0000  1.0000  1.0000" "$nucdet" evaluate "$work/data/manifest.csv" --predictions "$work/data/annotations" --quiet
check "evaluate nothing" 2 "either --model or --predictions" "$nucdet" evaluate "$work/data/manifest.csv"
check "overlay" 0 "o.png" "$nucdet" overlay "$image" --detections "$work/found/$name.csv" --truth "$work/data/annotations/$name.csv" --out "$work/o.png"
has o.png
check "overlay of the truth" 0 "t.png" "$nucdet" overlay "$image" --truth "$work/data/annotations/$name.csv" --out "$work/t.png"
check "overlay of nothing" 2 "neither" "$nucdet" overlay "$image" --out "$work/n.png"
exit $failed
