#!/usr/bin/env bash
# What nucdet says of a slide's tissue, and draws.    usage: test_slide_tissue.sh NUCDET
set -uo pipefail
nucdet=$1
source "$(dirname "$0")/check.sh"
fail() { echo "FAILED $*"; failed=1; }
cd "$work" || exit 1

# A tiled TIFF of 1024 x 768 pixels: glass, a square of tissue of 400 pixels, a speck of 20.
python3 - << 'E' || fail "no slide was made"
import struct
w, h, tile = 1024, 768, 256
def pixel(x, y):
    tissue = 200 <= x < 600 and 160 <= y < 560 or 800 <= x < 820 and 100 <= y < 120
    return (205, 110, 160) if tissue else (243, 241, 244 - (x + y) % 2)
tiles = [bytes(v for y in range(tile) for x in range(tile) for v in pixel(tx + x, ty + y))
         for ty in range(0, h, tile) for tx in range(0, w, tile)]
data, n = b"".join(tiles), len(tiles)
offsets, counts = [8 + i * len(tiles[0]) for i in range(n)], [len(t) for t in tiles]
bits = 8 + len(data)
tags = [(256, 4, 1, w), (257, 4, 1, h), (258, 3, 3, bits), (259, 3, 1, 1), (262, 3, 1, 2), (277, 3, 1, 3), (284, 3, 1, 1),
        (322, 4, 1, tile), (323, 4, 1, tile), (324, 4, n, bits + 6), (325, 4, n, bits + 6 + 4 * n)]
tail = struct.pack("<3H", 8, 8, 8) + struct.pack(f"<{2 * n}I", *offsets, *counts)
ifd = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *t) for t in tags) + struct.pack("<I", 0)
with open("a.tif", "wb") as f:
    f.write(struct.pack("<2sHI", b"II", 42, bits + len(tail)) + data + tail + ifd)
E

tissue() { "$nucdet" slide tissue a.tif --mpp 1 "$@"; }
share() { python3 -c 'import json, sys; j = json.load(sys.stdin); print(round(j["tissue_mm2"], 4), round(j["share"], 3), j["cells"])'; }

# 400 x 400 um and 16 um around them, with the corners of a disc.
check "area and share" 0 "^a.tif: 0.18[56][0-9]* mm2 of tissue, 23.[567] % of 1024 x 768 pixels of 1 um" tissue
check "as JSON" 0 '^\{"slide":"a.tif","um_per_pixel":1.0' tissue --json
check "the size is assumed, and that is said" 0 "0.25 um \(assumed" "$nucdet" slide tissue a.tif
check "with pictures" 0 "mm2" tissue --out a.png --mask-out mask.png
has a.png mask.png
check "they are replaced" 0 "mm2" tissue --out a.png --mask-out mask.png
found=$(tissue --json 2> /dev/null | share)
again=$(tissue --mask mask.png --json 2> /dev/null | share)
{ [ "$found" = "$again" ] && [ -n "$found" ]; } || fail "the mask given back: '$found', '$again'"
check "a smaller speck" 0 " 0.18[7-9][0-9]* mm2" tissue --smallest 100

cat > a.geojson << 'E'
{"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {"classification": {"name": "Region*"}},
 "geometry": {"type": "Polygon", "coordinates": [[[0, 0], [512, 0], [512, 384], [0, 384], [0, 0]]]}}]}
E
check "areas" 0 ", 2[5-6](\.[0-9])? %" tissue --areas a.geojson
printf 'x,y\n1,2\n' > points.csv
check "no areas" 4 "points.csv: has neither regions nor ignored areas" tissue --areas points.csv

# Slips.
check "not a PNG" 2 "wanted a name in .png" tissue --out a.jpg
printf mine > mine.png
check "a user's file" 2 "mine.png" tissue --out mine.png
check "the mask that is read" 2 "mask.png is the input" tissue --mask mask.png --mask-out mask.png
check "both pictures in one file" 2 "b.png" tissue --out b.png --mask-out b.png
check "mask and areas" 2 "areas|mask" tissue --mask mask.png --areas a.geojson
check "a missing slide" 4 "none.svs" "$nucdet" slide tissue none.svs
check "cells of no size" 2 "cell" tissue --cell 0
[ ! -e b.png ] || fail "a file of a failed call"
exit $failed
