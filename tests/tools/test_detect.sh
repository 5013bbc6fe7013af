#!/usr/bin/env bash
# Detection in pictures as users have them: pixel size, regions, areas, folders, results that are there already.
# usage: test_detect.sh NUCDET
set -uo pipefail
nucdet=$1
source "$(dirname "$0")/check.sh"
cd "$work" || exit 1
fail() { echo "FAILED: $*"; failed=1; }

"$nucdet" synth --out tissue --images 8 --size 128 --seed 7 > /dev/null
"$nucdet" train tissue --out run --base 4 --iterations 4 --validate-every 2 --crop 48 --batch 2 --device cpu --quiet > /dev/null
image=$(ls tissue/images/*.png | head -1)
name=$(basename "$image" .png)
detect=("$nucdet" detect --model run/best.safetensors --device cpu --threshold 0.01 --exact)
count() { sed -n 's/ *"count": \([0-9]*\).*/\1/p' "$1"; }

# Pixel size: said once, stored, its range, the ways to say it.
check "no pixel size anywhere" 0 "pixel size: 0.25 um \(assumed" "${detect[@]}" "$image" --out assumed
check "a pixel size" 0 "pixel size: 0.5 um \(--mpp\), scaled by 2" "${detect[@]}" "$image" --mpp 0.5 --out half
grep -q '"scale": 2.0' "half/$name.json" && grep -q '"source": "--mpp"' "half/$name.json" || fail "the pixel size is not stored"
head -1 "half/$name.csv" | grep -q 'x_um,y_um' || fail "no um in the table"
head -1 "assumed/$name.csv" | grep -qx 'x,y,score' || fail "um of an assumed size"
check "the same as a scale" 0 "$name" "${detect[@]}" "$image" --scale 2 --out scaled -q
cmp <(cut -d, -f1-3 "half/$name.csv") <(cut -d, -f1-3 "scaled/$name.csv") || fail "--mpp 0.5 is not --scale 2"
check "a pixel size that is none" 2 "0.1 to 1.5" "${detect[@]}" "$image" --mpp 5 --out x
check "a size and a scale" 2 "excludes" "${detect[@]}" "$image" --mpp 0.5 --scale 2 --out x
check "small tiles of a scaled image" 0 "$name" "${detect[@]}" "$image" --scale 2 --tile 64 --out tiled -q
[ "$(wc -l < "scaled/$name.csv")" -gt 3 ] && cmp "scaled/$name.csv" "tiled/$name.csv" || fail "tiles of a scaled image change the points"
printf 'image,annotations,mpp\ntissue/images/%s.png,,0.5\n' "$name" > mpp.csv
check "a manifest's pixel size" 0 "0.5 um \(manifest\)" "${detect[@]}" mpp.csv --out manifest
cmp "half/$name.csv" "manifest/$name.csv" || fail "the manifest's mpp is not --mpp"
printf 'image,annotations,mpp\ntissue/images/%s.png,,9\n' "$name" > mpp.csv
check "a manifest's size out of range" 4 "say it by --mpp UM or --scale FACTOR, or in a manifest's column 'mpp'" "${detect[@]}" mpp.csv --out x
"$nucdet" synth --out large --images 4 --size 1024 > /dev/null
check "too many pixels after resampling" 2 "65536 x 65536 reference pixels" "${detect[@]}" "$(ls large/images/*.png | head -1)" --scale 64 --out x

# Regions and areas.
check "a region" 0 "$name" "${detect[@]}" "$image" --region 32,16,64,64 --out region -q
awk -F, 'NR > 1 && ($1 < 31.5 || $1 >= 95.5 || $2 < 15.5 || $2 >= 79.5) {exit 1}' "region/$name.csv" || fail "a nucleus outside of the region"
awk -F, 'NR == 1 || ($1 >= 31.5 && $1 < 95.5 && $2 >= 15.5 && $2 < 79.5)' "assumed/$name.csv" | cmp - "region/$name.csv" || fail "the region's nuclei are not the image's"
small_tiles=("${detect[@]}" "$image" --mpp 0.5 --tile 64 -q)
check "an image of half the resolution" 0 "$name" "${small_tiles[@]}" --out half_tiles
check "a region of it" 0 "$name" "${small_tiles[@]}" --region 35,17,50,41 --out half_region
awk -F, 'NR == 1 || ($1 >= 34.5 && $1 < 84.5 && $2 >= 16.5 && $2 < 57.5)' "half_tiles/$name.csv" | cmp - "half_region/$name.csv" || fail "the region's nuclei are not those of the image that is resampled"
check "a region outside" 4 "is not in the image" "${detect[@]}" "$image" --region 100,100,64,64 --out x
cat > areas.geojson << 'JSON'
{"type":"FeatureCollection","features":[
{"type":"Feature","geometry":{"type":"Polygon","coordinates":[[[0,0],[64,0],[64,128],[0,128],[0,0]]]},"properties":{"objectType":"annotation","classification":{"name":"Region*"}}},
{"type":"Feature","geometry":{"type":"Polygon","coordinates":[[[0,0],[64,0],[64,64],[0,64],[0,0]]]},"properties":{"objectType":"annotation","classification":{"name":"Ignore*"}}}]}
JSON
check "areas" 0 "$name" "${detect[@]}" "$image" --areas areas.geojson --out areas --mpp 0.25 --summary summary.csv -q
awk -F, 'NR == 1 || ($1 < 63.5 && $2 >= 63.5)' "assumed/$name.csv" | cut -d, -f1-3 | cmp - <(cut -d, -f1-3 "areas/$name.csv") || fail "not the nuclei of the areas"
grep -q ",0.000256," summary.csv || fail "the summary's area is not a quarter of 128 x 128 pixels of 0.25 um: $(tail -1 summary.csv)"
mkdir areas-of && cp areas.geojson "areas-of/$name.geojson"
check "a folder of areas" 0 "$name" "${detect[@]}" "$image" --areas areas-of --out areas2 --mpp 0.25 -q
cmp "areas/$name.csv" "areas2/$name.csv" || fail "areas of a folder"
check "a folder without its areas" 4 "no areas for" "${detect[@]}" "$(ls tissue/images/*.png | tail -1)" --areas areas-of --out x

# Folders, names, results that are there.
mkdir -p cohort/p1/deep cohort/p2
cp "$image" cohort/p1/a.png && cp "$image" cohort/p1/deep/a.png && cp "$image" cohort/p2/a.png
touch cohort/._b.png
check "a folder and its folders" 0 "p1/deep/a.csv" "${detect[@]}" cohort -r --out cohort-found --overlay -q
has cohort-found/p1/a.csv cohort-found/p1/deep/a.json cohort-found/p2/a.overlay.png
mkdir linked && cp "$image" linked/a.png && ln -s ../cohort/p1 linked/p && ln -s nowhere linked/gone.png && ln -s . linked/loop
check "links are followed, but not in circles; one that leads nowhere is told" 3 "gone.png" "${detect[@]}" linked -r --out linked-found -q
has linked-found/a.csv linked-found/p/a.csv
[ ! -e linked-found/loop ] || fail "a link in a circle was followed"
check "a page of a PNG" 4 "page 5 was asked for, and only TIFF has more than one" "${detect[@]}" "$image" --page 5 --out x
printf 'x,y\n500,500\n' > outside.csv
check "points outside of a drawing" 0 "1 of 1 points lie outside" "$nucdet" overlay "$image" --truth outside.csv --out outside.png
check "two files of one name" 0 "p2/a.csv" "${detect[@]}" cohort/p1/a.png cohort/p2/a.png --out both -q
check "into the folder of the images" 0 "p2" "${detect[@]}" cohort/p2 --out cohort/p2 --overlay --geojson -q
check "once more" 0 "p2" "${detect[@]}" cohort/p2 --out cohort/p2 --overlay --geojson -q
[ "$(ls cohort/p2 | wc -l)" = 5 ] || fail "own drawings became inputs: $(ls cohort/p2)"
check "own detections are no truth" 4 "annotations" "$nucdet" evaluate cohort/p2 --split "" --predictions cohort/p2
check "done already" 0 "3 of 3 images have their results already" "${detect[@]}" cohort -r --out cohort-found --overlay --skip-existing
check "not by other settings" 0 "p1" "$nucdet" detect cohort -r --out cohort-found --model run/best.safetensors --threshold 0.02 --overlay --skip-existing -q
sed -i '2d' cohort-found/p1/a.csv
check "detections that were worked on" 2 "worked on since" "${detect[@]}" cohort -r --out cohort-found --overlay -q
check "a cohort goes on around them" 0 "1 of 3 images keep results that somebody has worked on" "${detect[@]}" cohort -r --out cohort-found --overlay --skip-existing
check "unless it is wanted" 0 "p1/a.csv" "${detect[@]}" cohort -r --out cohort-found --overlay --overwrite -q
check "lines of JSON" 0 '^\{"image":.*"nuclei":[0-9]+' "${detect[@]}" "$image" --out json --json -q
check "every kind of result" 0 "$name" "${detect[@]}" "$image" --mpp 0.25 --out all --geojson --gzip --ids --offset 1000,2000 --density --store --overlay -q
has "all/$name.geojson.gz" "all/$name.density.csv" "all/$name.density.png" "all/$name.db" "all/$name.overlay.png"
[ "$(gzip -dc "all/$name.geojson.gz" | grep -o '"Point"' | wc -l)" = "$(count "all/$name.json")" ] || fail "not every nucleus in the GeoJSON"
check "the store comes back" 0 "$(count "all/$name.json") points" "$nucdet" convert "all/$name.db" store.csv
check "density without a pixel size" 0 "$name" "${detect[@]}" "$image" --density --out density -q
check "areas without areas" 4 "holds no areas" "${detect[@]}" "$image" --areas "tissue/annotations/$name.csv" --out x
check "another offset is not done already" 0 "$name" "${detect[@]}" "$image" --mpp 0.25 --out all --geojson --gzip --ids --offset 0,0 --density --store --overlay --skip-existing -q
check "a table of one image is for one image" 2 "for one image" "${detect[@]}" cohort -r --region 0,0,64,64 --out x
mkfifo nobody
check "every other kind, after one without" 0 "$name" "${detect[@]}" "$image" --mpp 0.25 --out all -q
check "and again with" 0 "$name" "${detect[@]}" "$image" --mpp 0.25 --out all --geojson --gzip --store --overlay -q
echo mine >> "all/$name.density.csv"
check "what an earlier call left and somebody worked on" 2 "worked on since" "${detect[@]}" "$image" --mpp 0.25 --out all --density -q
check "a summary" 0 "$name" "${detect[@]}" "$image" --mpp 0.25 --out all --summary all/summary.csv -q
check "the same summary again" 0 "$name" "${detect[@]}" "$image" --mpp 0.25 --out all --summary all/summary.csv -q
sed -i '1s/$/,mine/' all/summary.csv
check "a summary with a column of somebody's" 2 "summary.csv is there" "${detect[@]}" "$image" --mpp 0.25 --out all --summary all/summary.csv -q
check "an offset of the store alone" 0 "$name" "${detect[@]}" "$image" --out offset --store --offset 10,20 -q
check "an offset of nothing" 2 "give --geojson or --store" "${detect[@]}" "$image" --out x --offset 10,20
check "areas into a store" 0 "points" "$nucdet" convert areas.geojson areas.db
check "and back" 0 "points" "$nucdet" convert areas.db areas-back.geojson
[ "$(grep -o 'Region\*\|Ignore\*' areas-back.geojson | sort | tr '\n' ' ')" = "Ignore* Region* " ] || fail "areas of a store"
"$nucdet" convert areas.geojson areas-again.db 2>&1 | grep -q "not written" && fail "a store is said to have no areas"
check "areas into a table" 0 "have no place in a table" "$nucdet" convert areas.geojson areas-of.csv
check "a pipe that nobody writes" 4 "nobody writes" timeout 30 "${detect[@]}" nobody --out x
rm "all/$name.json"
check "results without their JSON" 2 "give --overwrite" "${detect[@]}" "$image" --out all -q
check "which are replaced where it is wanted" 0 "$name" "${detect[@]}" "$image" --out all -q --overwrite
printf 'image,annotations,width\ntissue/images/%s.png,,100\n' "$name" > width.csv
check "a manifest of another image" 4 "the manifest says 100x" "${detect[@]}" width.csv --out x
check "scores" 0 "pooled" "$nucdet" evaluate tissue --predictions tissue/annotations --out scores -q
check "scores again" 0 "pooled" "$nucdet" evaluate tissue --predictions tissue/annotations --out scores -q
check "scores of a model" 0 "pooled" "$nucdet" evaluate tissue --model run/best.safetensors --out scores -q
check "of predictions" 0 "pooled" "$nucdet" evaluate tissue --predictions tissue/annotations --out scores -q
check "of the model again" 0 "pooled" "$nucdet" evaluate tissue --model run/best.safetensors --out scores -q
echo "mine" >> scores/images.csv
check "scores that were worked on" 2 "worked on since" "$nucdet" evaluate tissue --predictions tissue/annotations --out scores -q

# Predictions that look wrong are said to, or refused.
mkdir swapped partly none-of
for file in tissue/annotations/*.csv; do
  awk -F, -v OFS=, 'NR > 1 {t = $1; $1 = $2; $2 = t} {print}' "$file" > "swapped/$(basename "$file")"
  cp "$file" partly
done
evaluate=("$nucdet" evaluate tissue --split "" -q --predictions)
check "x and y exchanged" 0 "would be 1 if x and y were exchanged" "${evaluate[@]}" swapped
check "or refused" 4 "strict refuses" "${evaluate[@]}" swapped --strict
rm "partly/$name.csv" && sed -i '2s/.*/500,3/' "partly/$(ls partly | tail -1)"
check "one file of predictions is missing" 0 "$name: no predictions, counted as nothing found" "${evaluate[@]}" partly
check "a point of predictions outside" 0 "1 of [0-9]+ points lie outside of the image of 128x128" "${evaluate[@]}" partly
check "predictions of none" 4 "of none of the 8 images" "${evaluate[@]}" none-of
printf 'threshold,precision,recall,f1\n0.5,1,1,1\n' > curve.csv
check "a curve of somebody's" 2 "curve.csv is there" "${detect[@]}" "$image" --out x --summary curve.csv
printf 'not a picture' > broken.png
check "one image of two" 3 "broken.png" "${detect[@]}" broken.png "$image" --out some -q
has "some/$name.csv"
exit $failed
