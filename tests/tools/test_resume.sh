#!/usr/bin/env bash
# Ends `nucdet train` at moments that differ each time, killed and asked to stop in turns, resumes, and wants the weights of the uninterrupted run, byte for byte.
# usage: test_resume.sh NUCDET
set -euo pipefail
nucdet=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$nucdet" synth --out "$work/data" --images 8 --size 96 --seed 3 > /dev/null
"$nucdet" synth --out "$work/other" --images 8 --size 96 --seed 4 > /dev/null
"$nucdet" train "$work/data" --out "$work/start" --base 4 --iterations 2 --validate-every 1 --crop 48 --batch 2 --quiet > /dev/null
sets=("$work/data/manifest.csv" "$work/other" --initial "$work/start/best.safetensors")
options=(--base 4 --iterations 300 --validate-every 30 --crop 48 --batch 2 --threads 2 --quiet --seed 7)

"$nucdet" train "${sets[@]}" --out "$work/whole" "${options[@]}" > /dev/null

kills=0
for attempt in $(seq 1 60); do
  "$nucdet" train "${sets[@]}" --out "$work/killed" "${options[@]}" --resume > /dev/null &
  run=$!
  sleep "0.$((2 + attempt % 7))"
  signal=$([ $((attempt % 2)) = 0 ] && echo KILL || echo TERM)
  if kill "-$signal" "$run" 2> /dev/null; then kills=$((kills + 1)); fi
  code=0
  wait "$run" 2> /dev/null || code=$?
  [ "$code" != 0 ] || break
  case $signal.$code in KILL.137 | TERM.130) ;; *) echo "$signal ended it with $code"; exit 1 ;; esac
done
"$nucdet" train "${sets[@]}" --out "$work/killed" "${options[@]}" --resume > /dev/null

for file in best.safetensors last.safetensors log.csv loss.svg; do
  cmp "$work/whole/$file" "$work/killed/$file" || { echo "$file differs after $kills kills"; exit 1; }
done
[ "$kills" -ge 1 ] || { echo "the run was never killed: the test shows nothing"; exit 1; }
echo "same bytes after $kills kills"
