#!/usr/bin/env bash
# Slides that are annotated in regions, scored: as by hand, as pictures of the regions are, and beside ordinary images.
# usage: test_evaluate_slide.sh NUCDET MAKE_GIANT_SLIDE
set -uo pipefail
nucdet=$1 make=$2
source "$(dirname "$0")/check.sh"
fail() { echo "FAILED $*"; failed=1; }
/usr/bin/python3 -c 'import PIL' 2> /dev/null || { echo "SKIPPED: no PIL to cut a picture with"; exit 77; }
cd "$work" || exit 1
mkdir -p slides pictures inner
"$make" slides/slide.tif 4000 3000 || fail "make_giant_slide"
"$nucdet" synth --out data --images 4 --size 128 > /dev/null || fail synth
"$nucdet" train data --out run --base 4 --iterations 2 --validate-every 2 --crop 32 --batch 1 --quiet > /dev/null || fail train
untiled=(--model run/best.safetensors --threshold 0.02 --exact --quiet)
model=("${untiled[@]}" --tile 256)

# Annotations: what is found in all of the slide, some of it moved, left out or invented; in two regions and a hole.
"$nucdet" detect slides/slide.tif --out whole --tissue all "${model[@]}" > /dev/null || fail "detect"
cat > make.py << 'P'
import csv, json, random
random.seed(3)
found = [(float(r["x"]), float(r["y"])) for r in csv.DictReader(open("whole/slide.csv"))]
assert len(found) > 200, len(found)
def box(name, x, y, w, h):
    ring = [[x, y], [x + w, y], [x + w, y + h], [x, y + h], [x, y]]
    return {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]},
            "properties": {"objectType": "annotation", "classification": {"name": name}}}
areas = [box("Region*", 1100, 700, 500, 400), box("Region*", 1800, 1000, 240, 300.5), box("Ignore*", 1200, 800, 120, 90)]
truth = []
for x, y in found:
    if random.random() < 0.25: continue
    truth.append((min(3999, max(0, x + random.uniform(-9, 9))), min(2999, max(0, y + random.uniform(-9, 9)))))
truth += [(random.uniform(900, 2200), random.uniform(600, 1500)) for _ in range(150)]
def points(of): return [{"type": "Feature", "geometry": {"type": "Point", "coordinates": [x + 0.5, y + 0.5]},
                         "properties": {"objectType": "annotation"}} for x, y in of]
def write(name, features): json.dump({"type": "FeatureCollection", "features": features}, open(name, "w"))
write("slides/slide.geojson", areas + points(truth))
write("areas.geojson", areas)
write("points.geojson", points(truth))
# Far from all borders, so that nothing that counts belongs to something beyond them.
def inner(x, y):
    x, y = x + 0.5, y + 0.5
    def within(a, b, w, h, margin): return a + margin < x < a + w - margin and b + margin < y < b + h - margin
    return (within(1100, 700, 500, 400, 17) or within(1800, 1000, 240, 300.5, 17)) and not within(1200, 800, 120, 90, -17)
write("inner/slide.geojson", areas + points([p for p in truth if inner(*p)]))
# The same in a picture of a part of the slide, whose margins are wider than what the network sees.
left, top = 768, 384
moved = json.loads(json.dumps(areas))
for f in moved:
    f["geometry"]["coordinates"] = [[[x - left, y - top] for x, y in r] for r in f["geometry"]["coordinates"]]
part = [(x - left, y - top) for x, y in truth if left <= x < left + 1664 and top <= y < top + 1280]
write("pictures/part.geojson", moved + points(part))
P
/usr/bin/python3 make.py || fail "make.py"
evaluate() { local data=$1; shift; "$nucdet" evaluate "$data" --split "" "${model[@]}" "$@"; }
row() { /usr/bin/python3 -c 'import json, sys
for r in json.load(open(sys.argv[1]))["images"]: print(*(r[k] for k in ("truths", "detections", "hits")), round(r["distance_mean"], 5))' "$1" || echo "no scores $RANDOM"; }

evaluate slides --out scores > /dev/null || fail "evaluate a slide"
# 1. What was found in the whole slide, scored by the same areas.
evaluated=$(row scores/scores.json)
read -r nuclei detections hits _ <<< "$evaluated"
[ "$nuclei" -gt 20 ] && [ "$hits" -gt 10 ] && [ "$hits" -lt "$nuclei" ] && [ "$detections" -gt "$hits" ] || fail "next to nothing: $evaluated"
predictions() { "$nucdet" evaluate slides --split "" --quiet --predictions "$@" > /dev/null; }
predictions whole --out given || fail "predictions of a slide"
[ "$(row given/scores.json)" = "$evaluated" ] || fail "$evaluated, and by the whole slide's detections $(row given/scores.json)"
# 2. By hand: what detect finds in the areas, matched one to one within 16 pixels by growing paths.
"$nucdet" detect slides/slide.tif --out within --areas areas.geojson "${model[@]}" > /dev/null || fail "detect in areas"
cat > by_hand.py << 'P'
import csv, json, math
def counts(x, y):
    x, y = x + 0.5, y + 0.5  # QuPath's corner of a pixel
    box = lambda a, b, w, h: a <= x < a + w and b <= y < b + h
    return (box(1100, 700, 500, 400) or box(1800, 1000, 240, 300.5)) and not box(1200, 800, 120, 90)
points = lambda name: [(float(r["x"]), float(r["y"])) for r in csv.DictReader(open(name))]
truth = [(f["geometry"]["coordinates"][0] - 0.5, f["geometry"]["coordinates"][1] - 0.5)
         for f in json.load(open("points.geojson"))["features"]]
whole = points("whole/slide.csv")
inside = [p for p in whole if counts(*p)]
assert sorted(inside) == sorted(points("within/slide.csv")), "detect in areas is not the whole's part"
print(sum(counts(*t) for t in truth), len(inside))
P
by_hand=$(/usr/bin/python3 by_hand.py) || fail "by hand"
[ "${by_hand%% *}" = "$nuclei" ] || fail "nuclei: $nuclei, by hand ${by_hand%% *}"
# Detections differ by those across a border, whose nucleus lies on its other side.
near=$((${by_hand##* } - detections))
[ "${near#-}" -le 12 ] || fail "detections: $detections, by hand ${by_hand##* }"
# With no annotation near a border the two are the same.
ln slides/slide.tif inner
evaluate inner --out inner_scores > /dev/null || fail "evaluate far from borders"
"$nucdet" evaluate inner --split "" --quiet --predictions within --out inner_given > /dev/null
[ "$(row inner_scores/scores.json)" = "$(row inner_given/scores.json)" ] || fail "far from borders: $(row inner_scores/scores.json), of detections in areas $(row inner_given/scores.json)"
[ "$(row inner_scores/scores.json | cut -d' ' -f2)" = "${by_hand##* }" ] || fail "far from borders other detections than ${by_hand##* }"
# 3. A picture of the part, through the path of pictures.
/usr/bin/python3 - "$nucdet" << 'P' || fail "cutting a picture"
import subprocess, sys
from PIL import Image
Image.MAX_IMAGE_PIXELS = None
subprocess.run([sys.argv[1], "slide", "thumbnail", "slides/slide.tif", "--longest", "4000", "--out", "all.png"], check=True, stdout=subprocess.DEVNULL)
image = Image.open("all.png")
assert image.size == (4000, 3000)
image.crop((768, 384, 768 + 1664, 384 + 1280)).convert("RGB").save("pictures/part.png")
P
evaluate pictures --out cut --mpp 0.25 > /dev/null || fail "evaluate a picture"
[ "$(row cut/scores.json)" = "$evaluated" ] || fail "$evaluated, and in a picture $(row cut/scores.json)"

# Areas from elsewhere go before the annotations' own.
mkdir plain && cp slides/slide.tif plain && cp points.geojson plain/slide.geojson
evaluate plain --areas areas.geojson --out apart > /dev/null || fail "areas apart"
[ "$(row apart/scores.json)" = "$evaluated" ] || fail "areas apart: $(row apart/scores.json)"
mkdir regions && cp areas.geojson regions/slide.geojson
evaluate plain --areas regions --out folder > /dev/null
[ "$(row folder/scores.json)" = "$evaluated" ] || fail "a folder of areas: $(row folder/scores.json)"
cp pictures/part.geojson regions/part.geojson
# Tiles, and everywhere: what lies beyond the regions does not matter.
"$nucdet" evaluate slides --split "" "${untiled[@]}" --out tiles --tile 512 > /dev/null
[ "$(row tiles/scores.json)" = "$evaluated" ] || fail "other tiles: $(row tiles/scores.json)"
evaluate slides --out everywhere --tissue all > /dev/null
[ "$(row everywhere/scores.json)" = "$evaluated" ] || fail "--tissue all: $(row everywhere/scores.json)"
[ "$(wc -l < scores/curve.csv)" -gt 10 ] && cmp -s scores/curve.csv tiles/curve.csv || fail "the curve"

# Slides beside pictures, in a manifest, with pictures of the regions.
printf 'image,annotations,organ\nslides/slide.tif,slides/slide.geojson,a\npictures/part.png,pictures/part.geojson,b\n' > both.csv
"$nucdet" evaluate both.csv --split "" --model run/best.safetensors --threshold 0.02 --exact --mpp 0.25 --tile 256 --out both --overlays > /dev/null 2> said || fail "a manifest of both: $(cat said)"
[ "$(row both/scores.json)" = "$evaluated
$evaluated" ] || fail "both: $(row both/scores.json)"
has both/overlays/slides/slide.region-1.png both/overlays/slides/slide.region-2.png both/overlays/pictures/part.png
[ ! -e both/overlays/slides/slide.png ] || fail "a picture of the whole slide"
/usr/bin/python3 -c 'from PIL import Image
a = Image.open("both/overlays/slides/slide.region-1.png"); assert a.width == 500 and a.height >= 400, a.size' || fail "the picture of a region"

# Without regions all of the slide counts, and that is said.
check "no regions" 0 "no regions \(Region\*\) say where its nuclei are annotated: the whole slide counts" \
  "$nucdet" evaluate plain --split "" --model run/best.safetensors --threshold 0.02 --exact --tile 256 --out all --overlays
check "no regions, of predictions" 0 "the whole slide counts" "$nucdet" evaluate plain --split "" --predictions whole
"$nucdet" detect slides/slide.tif --out tissue "${model[@]}" > /dev/null
"$nucdet" evaluate plain --split "" --quiet --predictions tissue --out by > /dev/null
[ "$(row all/scores.json)" = "$(row by/scores.json)" ] || fail "the whole slide: $(row all/scores.json), by its detections $(row by/scores.json)"
[ ! -e all/overlays ] || fail "a picture of a whole slide"

# Another pixel size is the image's, and the gate stays one of reference pixels.
evaluate slides --mpp 0.5 --out coarse > /dev/null || fail "--mpp"
"$nucdet" detect slides/slide.tif --mpp 0.5 --tissue all --out coarse_whole "${model[@]}" > /dev/null
"$nucdet" evaluate slides --split "" --quiet --mpp 0.5 --predictions coarse_whole --out coarse_given > /dev/null
[ "$(row coarse/scores.json)" = "$(row coarse_given/scores.json)" ] || fail "0.5 um: $(row coarse/scores.json), by detections $(row coarse_given/scores.json)"
[ "$(row coarse/scores.json)" != "$evaluated" ] || fail "0.5 um change nothing"

# Annotations, areas and detections that count from the corner of what was scanned. The other way, they lie elsewhere.
if "$nucdet" doctor | grep "^OpenSlide:" | grep -v "without it" > /dev/null; then
  mkdir scanned && "$make" scanned/slide.tif 2000 1500 512 256 || fail "make_giant_slide of bounds"
  "$nucdet" detect scanned/slide.tif --out bounds --tissue all --origin bounds "${model[@]}" > /dev/null || fail "detect --origin"
  cat > scanned.py << 'P'
import csv, json
found = [(float(r["x"]), float(r["y"])) for r in csv.DictReader(open("bounds/slide.csv"))]
ring = [[300, 200], [1000, 200], [1000, 900], [300, 900], [300, 200]]
area = {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]},
        "properties": {"objectType": "annotation", "classification": {"name": "Region*"}}}
points = [{"type": "Feature", "geometry": {"type": "Point", "coordinates": [x + 0.5, y + 0.5]},
           "properties": {"objectType": "annotation"}} for x, y in found[::2]]
json.dump({"type": "FeatureCollection", "features": [area] + points}, open("scanned/slide.geojson", "w"))
P
  /usr/bin/python3 scanned.py || fail "scanned.py"
  evaluate scanned --origin bounds --out scanned_scores --overlays > /dev/null || fail "evaluate --origin"
  read -r nuclei detections hits distance <<< "$(row scanned_scores/scores.json)"
  [ "$nuclei" -gt 10 ] && [ "$hits" = "$nuclei" ] && [ "$distance" = 0.0 ] && [ "$detections" -gt "$hits" ] || fail "--origin bounds: $nuclei $detections $hits $distance"
  "$nucdet" evaluate scanned --split "" --quiet --predictions bounds --origin bounds --out scanned_given > /dev/null
  [ "$(row scanned_given/scores.json)" = "$(row scanned_scores/scores.json)" ] || fail "predictions with --origin bounds: $(row scanned_given/scores.json)"
  has scanned_scores/overlays/slide.region-1.png
  evaluate scanned --out elsewhere > /dev/null
  read -r _ _ hits distance <<< "$(row elsewhere/scores.json)"
  [ "$distance" != 0.0 ] || fail "--origin changes nothing"
else
  echo "SKIPPED: bounds, for want of OpenSlide"
fi

# Mistakes.
check "regions of a whole map" 2 "leave out --components" "$nucdet" evaluate slides --split "" --model run/best.safetensors --components 0.5 --quiet
check "no areas in a file" 4 "holds no areas" evaluate slides --areas points.geojson
check "no areas for a slide" 4 "no areas for slide" evaluate plain --areas pictures
printf 'x,y\n5000,10\n' > plain/slide.csv && rm plain/slide.geojson
check "points outside" 4 "1 of 1 points lie outside of the image of 4000x3000" evaluate plain
check "a user's picture" 2 "region-1.png" bash -c 'mkdir -p mine/overlays && echo x > mine/overlays/slide.region-1.png && "$@"' - "$nucdet" evaluate slides --split "" "${model[@]}" --out mine --overlays
exit $failed
