#!/usr/bin/env bash
# The scripts for QuPath, run by Groovy on a stand-in for QuPath (fake_qupath.groovy): what nucdet is asked, what comes back
# and where; and that nucdet trains on what is exported.
#   test_qupath.sh NUCDET SOURCE        without groovy it says SKIPPED and exits with 77
set -uo pipefail
NUCDET=$(realpath "$1") source=$(realpath "$2")
export NUCDET
if ! command -v groovy > /dev/null; then
  echo "SKIPPED: no groovy: apt-get install groovy default-jre-headless"
  exit 77
fi
if [ -z "${JAVA_HOME:-}" ]; then
  JAVA_HOME=$(dirname "$(dirname "$(realpath "$(command -v java)")")")
  export JAVA_HOME
fi
. "$source/tests/tools/check.sh"
cd "$work" || exit 1
fail() { echo "FAILED: $*"; failed=1; }
qupath() { groovy "$source/tests/integrations/fake_qupath.groovy" "$source/integrations/qupath/$1.groovy" "$2"; }

"$NUCDET" synth --out tissue --images 4 --size 320 --seed 6 > /dev/null
images=("$PWD"/tissue/images/*.png)
"$NUCDET" detect "${images[0]}" --out whole --mpp 0.25 > /dev/null
region='{"type":"Feature","selected":true,"geometry":{"type":"Polygon","coordinates":[[[100,80],[260,80],[260,240],[100,240],[100,80]]]},"properties":{"objectType":"annotation"}}'
# Three detections that are there: one of nucdet within the annotation, one outside, and another program's cell within.
old='{"type":"Feature","geometry":{"type":"Point","coordinates":[120,100]},"properties":{"objectType":"detection","measurements":{"score":0.01}}}'
elsewhere='{"type":"Feature","geometry":{"type":"Point","coordinates":[10,10]},"properties":{"objectType":"detection","measurements":{"score":0.02}}}'
cell='{"type":"Feature","geometry":{"type":"Polygon","coordinates":[[[150,150],[160,150],[160,160],[150,160],[150,150]]]},"properties":{"objectType":"detection","measurements":{"score":0.03}}}'

echo "{\"file\":\"${images[0]}\",\"server\":\"ImageJ server\",\"um\":0.25,\"objects\":[$old,$cell]}" > whole.json
check "the whole image" 0 "detections in " qupath detect_nuclei whole.json
echo "{\"file\":\"${images[0]}\",\"server\":\"OpenSlide\",\"um\":0.25,\"objects\":[$region,$old,$elsewhere,$cell]}" > region.json
check "an annotation" 0 "--origin bounds --areas" qupath detect_nuclei region.json
echo "{\"file\":\"${images[0]}\",\"server\":\"OMERO\",\"um\":0.25,\"objects\":[$region,$old,$elsewhere,$cell]}" > server.json
check "an image of a server" 0 "offset" qupath detect_nuclei server.json
echo "{\"file\":\"${images[0]}\",\"server\":\"OMERO\",\"objects\":[]}" > nothing.json
check "an image of a server, nothing selected" 1 "select annotations" qupath detect_nuclei nothing.json
# A turned view has its file's name, and is handed over as it is shown. Without a turn here: the numbers are comparable.
echo "{\"file\":\"${images[0]}\",\"server\":\"OpenSlide (Rotate 90)\",\"um\":0.25,\"objects\":[$region]}" > turned.json
check "a turned view" 0 "offset" qupath detect_nuclei turned.json
echo "{\"file\":\"${images[0]}\",\"server\":\"Bio-Formats\",\"um\":0.25,\"width\":200,\"objects\":[]}" > other.json
check "another image of the file" 1 "read an image of 320 x 320 pixels, QuPath shows 200 x 320" qupath detect_nuclei other.json
# Two squares side by side, each in the other's margin, and one that overlaps both.
square() { echo "{\"type\":\"Feature\",\"selected\":true,\"geometry\":{\"type\":\"Polygon\",\"coordinates\":[[[$1,80],[$2,80],[$2,240],[$1,240],[$1,80]]]},\"properties\":{\"objectType\":\"annotation\"}}"; }
echo "{\"file\":\"${images[0]}\",\"server\":\"OMERO\",\"um\":0.25,\"objects\":[$(square 100 180),$(square 180 260),$(square 140 220)]}" > squares.json
check "neighbours" 0 "offset" qupath detect_nuclei squares.json
NUCDET=/bin/false check "a program that fails" 1 "nucdet ended with 1" qupath detect_nuclei whole.json

python3 - whole/*.csv whole.json.out region.json.out server.json.out turned.json.out squares.json.out << 'PYTHON' || failed=1
import csv, json, sys
nuclei = [(float(r["x"]) + 0.5, float(r["y"]) + 0.5, float(r["score"])) for r in csv.DictReader(open(sys.argv[1]))]
def detections(path):
    """Those of this call, and the scores of earlier ones that are still there."""
    features = [f for f in json.load(open(path)) if f["properties"]["objectType"] == "detection"]
    found = sorted((*f["geometry"]["coordinates"], f["properties"]["measurements"]["score"]) for f in features if f["geometry"]["type"] == "Point")
    early = sorted(s for f in features if (s := f["properties"]["measurements"]["score"]) < 0.1)
    return [f for f in found if f[2] >= 0.1], early
def same(found, wanted):
    assert len(found) == len(wanted) > 5, (len(found), len(wanted))
    for a, b in zip(found, sorted(wanted)):
        assert abs(a[0] - b[0]) < 0.01 and abs(a[1] - b[1]) < 0.01 and abs(a[2] - b[2]) < 1e-3, (a, b)
inside = [n for n in nuclei if 100 <= n[0] < 260 and 80 <= n[1] < 240]
found, others = detections(sys.argv[2])
same(found, nuclei)
assert others == [0.03], others
found, others = detections(sys.argv[3])
same(found, inside)
assert others == [0.02, 0.03], others  # what is outside of the annotation stays
found, others = detections(sys.argv[4])
assert others == [0.02, 0.03], others
# A picture of a part, with context: the same nuclei but for those that its border moves.
def alike(found):
    close = sum(any(abs(a[0] - b[0]) < 1 and abs(a[1] - b[1]) < 1 for b in found) for a in inside)
    assert close >= 0.95 * len(inside) and abs(len(found) - len(inside)) <= 0.05 * len(inside), (close, len(found), len(inside))
alike(found)
alike(detections(sys.argv[5])[0])
squares = detections(sys.argv[6])[0]
alike(squares)
assert not any(abs(a[0] - b[0]) < 1 and abs(a[1] - b[1]) < 1 for k, a in enumerate(squares) for b in squares[:k]), squares
print("detections of the whole image, an annotation and a picture of it are where they belong")
PYTHON

dots=$(awk -F, 'NR > 1 {printf "%s[%.3f,%.3f]", (NR > 2 ? "," : ""), $1 + 0.5, $2 + 0.5}' tissue/annotations/"$(basename "${images[1]}" .png)".csv)
points="{\"type\":\"Feature\",\"geometry\":{\"type\":\"MultiPoint\",\"coordinates\":[$dots]},\"properties\":{\"objectType\":\"annotation\",\"classification\":{\"name\":\"Tumor\",\"color\":[200,0,0]}}}"
area='{"type":"Feature","geometry":{"type":"Polygon","coordinates":[[[0,0],[320,0],[320,320],[0,320],[0,0]]]},"properties":{"objectType":"annotation","classification":{"name":"Region*","color":[0,0,180]}}}'
tumour='{"type":"Feature","geometry":{"type":"Polygon","coordinates":[[[0,0],[20,0],[20,20],[0,20],[0,0]]]},"properties":{"objectType":"annotation","classification":{"name":"Tumor","color":[200,0,0]}}}'
echo "{\"images\":[{\"file\":\"${images[0]}\",\"objects\":[]},{\"file\":\"${images[1]}\",\"objects\":[$points,$area,$tumour]}]}" > project.json
check "a project" 0 "nucdet train" qupath export_annotations project.json
mkdir first second
cp "${images[0]}" first/a.png; cp "${images[1]}" second/a.png; cp "${images[2]}" second/a_2.png
dot='{"type":"Feature","geometry":{"type":"Point","coordinates":[5,5]},"properties":{"objectType":"annotation"}}'
mkdir named
echo "{\"images\":[{\"file\":\"$PWD/first/a.png\",\"objects\":[$dot]},{\"file\":\"$PWD/second/a.png\",\"objects\":[$dot]},{\"file\":\"$PWD/second/a_2.png\",\"objects\":[$dot]}]}" > named/project.json
check "images that are called alike" 0 "nucdet train" qupath export_annotations named/project.json
[ "$(cut -d, -f2 named/nucdet/manifest.csv | sort -u | wc -l)" = 4 ] || fail "names: $(cat named/nucdet/manifest.csv)"
has nucdet/manifest.csv nucdet/annotations/"$(basename "${images[1]}" .png)".geojson
[ "$(wc -l < nucdet/manifest.csv)" = 2 ] || fail "the manifest: $(cat nucdet/manifest.csv)"
wanted=$(($(wc -l < tissue/annotations/"$(basename "${images[1]}" .png)".csv) - 1))
check "nucdet reads it" 0 "$wanted points" "$NUCDET" convert nucdet/annotations/*.geojson points.csv
check "nucdet trains on it" 0 "" "$NUCDET" train nucdet/manifest.csv --out run --base 4 --iterations 2 --validate-every 2 --crop 48 --batch 1 --device cpu --quiet
exit $failed
