#!/usr/bin/env bash
# Stores of nucdet read by TIAToolbox, and stores of TIAToolbox read by nucdet.
#   test_annotation_store.sh PROGRAM    PROGRAM: annotation_store_peer, see there
# TIAToolbox is looked for in the folder NUCDET_TIATOOLBOX (scripts/tiatoolbox-environment.sh makes one); without it the
# test says SKIPPED and exits with 77.
set -euo pipefail
example=$(realpath "$(dirname "$0")/../../integrations/tiatoolbox/look_at_store.py")
program=$(realpath "$1")
if [ -z "${NUCDET_TIATOOLBOX:-}" ]; then
  echo "SKIPPED: NUCDET_TIATOOLBOX is not set: scripts/tiatoolbox-environment.sh FOLDER, then NUCDET_TIATOOLBOX=FOLDER"
  exit 77
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export PYTHONPATH=$NUCDET_TIATOOLBOX HOME=$folder
python=$(< "$NUCDET_TIATOOLBOX/python")

"$program" write ours.db
"$python" "$example" ours.db 95,195,305,245 > looked.txt
printf '%s\n' '10000 nuclei of slide.svs' 'stroma: 42 in 95,195,305,245' 'tumour: 63 in 95,195,305,245' > wanted.txt
head -n 3 looked.txt | diff wanted.txt - || { echo "FAILED: the example says: $(cat looked.txt)" >&2; exit 1; }
"$python" - <<'PYTHON'
from shapely.geometry import MultiPolygon, Point, Polygon
from tiatoolbox.annotation.storage import Annotation, SQLiteStore

store = SQLiteStore("ours.db")
assert len(store) == 10000, len(store)
assert store.metadata["nucdet"]["image"] == "slide.svs", dict(store.metadata)
# 100 x 100 nuclei, at (10 column + 0.25, 10 row + 0.5): rows are tumour, stroma, tumour, ...
found = store.query((95, 195, 305, 245))
assert len(found) == 21 * 5, len(found)
assert all(a.geometry.geom_type == "Point" for a in found.values())
assert (100.25, 200.5) in {(a.geometry.x, a.geometry.y) for a in found.values()}
tumour = store.query((95, 195, 305, 245), where="props['type'] == 'tumour'")
assert len(tumour) == 21 * 3, len(tumour)
assert {p["score"] for p in (a.properties for a in tumour.values())} == {0.3}
assert len(store.iquery((0, 0, 10000, 10000), where="has_key(props, 'class_probability')")) == 10000
key = next(iter(store.iquery((95, 195, 105, 205))))
assert len(key) == 36 and key in store
# It may be worked on: what is added, moved and removed is found.
store[key] = Annotation(Point(-5, -5), {"type": "moved"})
for k in store.iquery((500, 0, 10000, 10000)):
    store.remove(k)
store.append(Annotation(Point(7777, 7777), {"type": "added"}))
assert len(store.query((-10, -10, 0, 0))) == 1 and len(store.query((7000, 7000, 8000, 8000))) == 1
assert len(store) == 5000 + 1, len(store)
store.commit()
(check,) = store.con.execute("SELECT rtreecheck('rtree')").fetchone()
assert check == "ok", check
store.close()

for name, compression in (("theirs.db", "zlib"), ("plain.db", None)):
    theirs = SQLiteStore(name, compression=compression)
    theirs.append_many(
        [
            Annotation(Point(1.5, 2), {"type": "Tumor"}),
            Annotation(Polygon([(10, 10), (14, 10), (14, 14), (10, 14)]), {"type": "Stroma"}),
            Annotation(MultiPolygon([Polygon([(0, 0), (2, 0), (2, 2), (0, 2)])]), {}),
            Annotation(
                Polygon([(0, 0), (100, 0), (100, 100), (0, 100)], [[(40, 40), (60, 40), (60, 60), (40, 60)]]),
                {"type": "Region*"},
            ),
        ]
    )
    theirs.commit()
    theirs.close()
PYTHON

fail() { echo "FAILED: $*" >&2; exit 1; }
wanted='1.5 2 Tumor
12 12 Stroma
1 1 -
regions 1 ignored 0 detections 0
(50, 50) counts: 0, (30, 30) counts: 1'
for name in theirs plain; do
  [ "$("$program" read $name.db)" = "$wanted" ] || fail "$name.db is read as: $("$program" read $name.db)"
done
"$program" read ours.db > read.txt
grep -q '^-5 -5 moved$' read.txt && grep -q '^7777 7777 added$' read.txt || fail "changes of TIAToolbox are not read"
[ "$(wc -l < read.txt)" = 5003 ] || fail "ours.db: $(wc -l < read.txt) lines, wanted 5003"
grep -q 'detections 1$' read.txt || fail "ours.db does not say that nucdet made it"
echo "TIAToolbox and nucdet read each other's stores"
