#!/usr/bin/env bash
# docs/qupath.md: dots as QuPath exports them, a manifest, training, detection, corrections, training again.
# usage: test_roundtrip.sh NUCDET
set -uo pipefail
nucdet=$1
source "$(dirname "$0")/check.sh"
cd "$work" || exit 1

"$nucdet" synth --out tissue --images 8 --size 96 --seed 5 > /dev/null
mkdir images annotations corrected
number=0
for image in tissue/images/*.png; do  # two images a patient
  name="p$((number / 2))_$number"
  cp "$image" "images/$name.png"
  # A FeatureCollection as QuPath 0.5 writes it: one annotation with all points, and a region over the whole image.
  awk -F, 'NR > 1 {printf "%s[%.3f,%.3f]", (NR > 2 ? "," : ""), $1 + 0.5, $2 + 0.5}' \
    "tissue/annotations/$(basename "$image" .png).csv" > points
  cat > "annotations/$name.geojson" << JSON
{"type":"FeatureCollection","features":[
{"type":"Feature","id":"0b1f","geometry":{"type":"MultiPoint","coordinates":[$(cat points)]},"properties":{"objectType":"annotation","classification":{"name":"Tumor","color":[200,0,0]}}},
{"type":"Feature","id":"0b20","geometry":{"type":"Polygon","coordinates":[[[0,0],[96,0],[96,96],[0,96],[0,0]]]},"properties":{"objectType":"annotation","classification":{"name":"Region*","color":[0,0,180]}}}
]}
JSON
  number=$((number + 1))
done
small=(--base 4 --iterations 4 --validate-every 2 --crop 48 --batch 2 --device cpu --quiet)

check "a manifest" 0 "data.csv" "$nucdet" manifest images annotations --out data.csv --patient '^([^_]+)_' --split 50,25,25 --seed 1
[ "$(cut -d, -f1,4,9 data.csv | grep -c ',p[0-3]')" = 8 ] || { echo "FAILED: no patients in the manifest"; cat data.csv; failed=1; }
check "train" 0 "validation F1" "$nucdet" train data.csv --out run "${small[@]}"
check "evaluate" 0 "pooled" "$nucdet" evaluate data.csv --model run/best.safetensors --out scores --quiet
check "detect" 0 "p0_0" "$nucdet" detect images --model run/best.safetensors --out found --geojson --threshold 0.01 --quiet
check "own detections are no annotations" 4 "nucdet" "$nucdet" train found --out x "${small[@]}"
for file in found/*.geojson; do  # what QuPath exports of them: no member of nucdet's, new ids, one point more
  sed -e 's/"nucdet":{[^}]*},//' -e 's/\]}[[:space:]]*$/,{"type":"Feature","geometry":{"type":"Point","coordinates":[5.5,7.5]},"properties":{"objectType":"annotation"}}]}/' \
    -e 's/\[,/[/' "$file" > "corrected/$(basename "$file")"
done
check "corrected" 0 "geojson|csv" "$nucdet" convert corrected/p0_0.geojson p.csv
check "the manifest of corrections" 0 "corrected.csv" "$nucdet" manifest images corrected --out corrected.csv --patient '^([^_]+)_' --split 50,25,25 --seed 1
diff <(cut -d, -f1,4,9 data.csv) <(cut -d, -f1,4,9 corrected.csv) || { echo "FAILED: another split"; failed=1; }
check "train again" 0 "validation F1" "$nucdet" train corrected.csv --out run2 --initial run/best.safetensors "${small[@]}"
check "a table corrected by hand" 0 "hand.csv" "$nucdet" convert found/p0_0.csv hand.csv
head -1 hand.csv | grep -qx 'x,y\(,class\)\?' || { echo "FAILED: $(head -1 hand.csv)"; failed=1; }
exit $failed
