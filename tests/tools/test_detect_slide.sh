#!/usr/bin/env bash
# Whole slides through detect: the same bytes whatever is read when, however often the run is ended, wherever its part lies.
# usage: test_detect_slide.sh NUCDET MAKE_GIANT_SLIDE
set -uo pipefail
nucdet=$1 make=$2
source "$(dirname "$0")/check.sh"
fail() { echo "FAILED $*"; failed=1; }
cd "$work" || exit 1
"$make" slide.tif 4000 3000 || fail "make_giant_slide"
"$nucdet" synth --out data --images 4 --size 64 > /dev/null || fail synth
"$nucdet" train data --out run --base 4 --iterations 2 --validate-every 2 --crop 32 --batch 1 --quiet > /dev/null || fail train
with_tiles() { local tile=$1; shift; "$nucdet" detect slide.tif --model run/best.safetensors --threshold 0.02 --exact --quiet --tile "$tile" "$@"; }
detect=("$nucdet" detect slide.tif --model run/best.safetensors --threshold 0.02 --exact --quiet --tile 256)
"${detect[@]}" --out whole --threads 2 > list || fail "a slide"
has whole/slide.csv whole/slide.json whole/slide.overview.png
[ ! -e whole/slide.journal ] || fail "the journal stays"
[ "$(wc -l < whole/slide.csv)" -gt 100 ] || fail "next to nothing was found: $(cat list)"
same() { cmp -s "$1/slide.csv" whole/slide.csv && cmp -s "$1/slide.json" whole/slide.json || fail "$2: other bytes"; }

"${detect[@]}" --out one --threads 1 --ahead 1 > /dev/null; same one "one thread, one tile ahead"
"${detect[@]}" --out many --threads 3 --ahead 8 > /dev/null; same many "three threads, eight tiles ahead"

# On a terminal: what is done, how fast, what is left.
on_terminal() { python3 -c 'import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))' "$@"; }
check "progress" 0 "slide.tif, tile [0-9]+/[0-9]+, [0-9.]+ of [0-9.]+ mm2, [0-9.]+ mm2/s, [0-9]+ nuclei  left [0-9]+ s" \
  on_terminal "$nucdet" detect slide.tif --model run/best.safetensors --threshold 0.02 --exact --tile 256 --out shown
[ -z "$(on_terminal "${detect[@]}" --out shown | grep -a nuclei)" ] || fail "progress with --quiet"

# Killed at random points, and asked to end, in turns.
RANDOM=${SEED:-7}
kills=0 stops=0
for round in 1 2 3 4 5 6 7 8; do
  "${detect[@]}" --out killed > /dev/null 2> said &
  run=$!
  if [ "$round" = 1 ]; then until [ -s killed/slide.journal ] || ! kill -0 $run 2> /dev/null; do sleep 0.01; done; fi
  sleep "0.$((RANDOM % 4))$((RANDOM % 10))"
  signal=KILL
  [ $((round % 2)) = 1 ] || signal=TERM
  kill -$signal $run 2> /dev/null
  wait $run
  code=$?
  case $signal.$code in
    KILL.137) kills=$((kills + 1)) ;;
    TERM.6) stops=$((stops + 1)); grep -qE "the same call goes on from there|after 0 of 1 images" said || fail "what is said at the end: $(cat said)" ;;
    TERM.143) ;;   # the program had not begun: on a busy machine that takes a while
    *.0) break ;;  # it was faster
    *) fail "SIG$signal: exit code $code, $(cat said)" ;;
  esac
done
[ $kills -gt 0 ] || fail "the run was never ended"
"${detect[@]}" --out killed > /dev/null || fail "the run that goes on"
same killed "after $kills kills and $stops stops"

# A journal holds nuclei: it does not matter what files are to be made of them.
"${detect[@]}" --out again > /dev/null 2>&1 &
run=$!
until [ "$(stat -c %s again/slide.journal 2> /dev/null || echo 0)" -gt 200 ] || ! kill -0 $run 2> /dev/null; do sleep 0.01; done
kill -KILL $run 2> /dev/null
wait $run 2> /dev/null
if [ -s again/slide.journal ]; then
  check "other files of the same nuclei" 0 "goes on after [0-9]+ tiles" "$nucdet" detect slide.tif --model run/best.safetensors \
    --threshold 0.02 --exact --tile 256 --out again --geojson --ids --offset 5,7
  cmp -s again/slide.csv whole/slide.csv || fail "nuclei of a journal"
else
  echo "SKIPPED: a journal that goes on with other files, the run was faster than its end"
fi
check "what computed it is said" 0 '"device": "cpu, [a-z0-9]+, exact"' head -c 400 whole/slide.json
offset() { "$nucdet" detect slide.tif --model run/best.safetensors --threshold 0.02 --exact --tile 256 --region 1000,800,300,300 --out offset --geojson --skip-existing --offset "$@"; }
check "an offset" 0 "slide.csv" offset 5,7
check "the same once more" 0 "1 of 1 images have their results already" offset 5,7
cp offset/slide.geojson moved.geojson
check "another offset is another result" 0 "slide.csv" offset 1,2
! cmp -s offset/slide.geojson moved.geojson || fail "the offset of a result that was there before"

# A part has the nuclei of the whole that lie in it.
check "a region" 0 "slide.csv" "${detect[@]}" --out part --region 1000,800,900,700
inside() { awk -F, 'NR > 1 && $1 + 0.5 >= 1000 && $1 + 0.5 < 1900 && $2 + 0.5 >= 800 && $2 + 0.5 < 1500' "$1" | cut -d, -f1-3; }
[ "$(inside whole/slide.csv)" = "$(tail -n +2 part/slide.csv | cut -d, -f1-3)" ] || fail "the region's nuclei are not the slide's"
check "a region outside" 4 "is not in the image of 4000x3000" "${detect[@]}" --out x --region 3900,0,200,10

# Other tiles, with plain sums: the same nuclei, in another order.
check "other tiles" 0 "slide.csv" with_tiles 512 --out tiles
[ "$(sort whole/slide.csv)" = "$(sort tiles/slide.csv)" ] || fail "other tiles change the nuclei"

# Positions that count from the corner of what was scanned.
same_positions() {
  python3 - "$@" << 'P'
import csv, json, sys
name, right, down, other = sys.argv[1], float(sys.argv[2]), float(sys.argv[3]), sys.argv[4]
read = lambda folder: [tuple(float(r[k]) for k in ("x", "y", "score")) for r in csv.DictReader(open(folder + ".csv"))]
box = [float(v) for v in sys.argv[5].split(",")] if len(sys.argv) > 5 else [-1e9, -1e9, 2e9, 2e9]
a, b = read(name), [(x - right, y - down, s) for x, y, s in read(other)]
b = [p for p in b if box[0] <= p[0] + 0.5 < box[0] + box[2] and box[1] <= p[1] + 0.5 < box[1] + box[3]]
assert len(a) == len(b) > 20, (len(a), len(b))
assert all(abs(u - v) < 0.006 for p, q in zip(a, b) for u, v in zip(p, q))
P
}
check "an origin without bounds" 0 "slide.csv" "${detect[@]}" --out origin --origin bounds
cmp -s origin/slide.csv whole/slide.csv || fail "--origin bounds changes a slide that has none"
grep -q '"origin": *{"name":' <(tr -d '\n' < origin/slide.json | sed 's/": *{ */": {/g') || fail "the origin is not said: $(head -c 400 origin/slide.json)"
! grep -q '"origin"' whole/slide.json || fail "an origin that nobody asked for"
if "$nucdet" doctor | grep "^OpenSlide:" | grep -v "without it" > /dev/null; then
  "$make" scanned.scn 2000 1500 512 256 || fail "make_giant_slide of bounds"
  scanned=("$nucdet" detect scanned.scn --model run/best.safetensors --threshold 0.02 --exact --quiet --tile 256)
  "${scanned[@]}" --out level0 --region 512,256,2000,1500 > /dev/null && "${scanned[@]}" --out bounds --origin bounds > /dev/null || fail "a slide with bounds"
  same_positions bounds/scanned 512 256 level0/scanned || fail "--origin bounds"
  cmp -s bounds/scanned.overview.png level0/scanned.overview.png || fail "the overview moves with the origin"
  python3 -c 'import json
b, l = json.load(open("bounds/scanned.json")), json.load(open("level0/scanned.json"))
assert b["origin"] == {"name": "bounds", "x": 512, "y": 256} and (b["width"], b["height"]) == (2000, 1500), b["origin"]
assert "origin" not in l and (l["width"], l["height"]) == (3024, 2012) and b["area_mm2"] == l["area_mm2"]' || fail "what JSON says of the origin"
  "${scanned[@]}" --out part_of_bounds --origin bounds --region 200,300,700,500 > /dev/null || fail "a region from the bounds"
  same_positions part_of_bounds/scanned 512 256 level0/scanned 200,300,700,500 || fail "a region from the bounds' corner"
  check "a region beyond the bounds" 4 "is not in the image of 2000x1500" "${scanned[@]}" --out x --origin bounds --region 1900,0,200,10
  check "other positions are not there yet" 0 "scanned.csv" "${scanned[@]}" --out bounds --skip-existing
else
  echo "SKIPPED: bounds, for want of OpenSlide"
fi
check "no such origin" 2 "level0" "${detect[@]}" --out x --origin corner

# Where there is tissue.
check "everywhere" 0 "slide.csv" "${detect[@]}" --out all --tissue all
[ "$(wc -l < all/slide.csv)" -ge "$(wc -l < whole/slide.csv)" ] || fail "everywhere there are fewer"
check "a mask" 0 "mm2 of tissue" "$nucdet" slide tissue slide.tif --mask-out mask.png --out tissue.png
check "by a mask" 0 "slide.csv" "${detect[@]}" --out masked --tissue mask.png
cmp -s masked/slide.csv whole/slide.csv || fail "the mask that is made is not the one that is used"

sanitized=$(ASAN_OPTIONS=help=1 "$nucdet" --version 2>&1 | grep -c AddressSanitizer)  # which needs more to begin with
if [ "$sanitized" = 0 ]; then
  "$nucdet" detect slide.tif --model run/best.safetensors --out x --memory 100 --tile 4096 -q > said 2>&1
  case $? in 2 | 5) ;; *) fail "too little memory: $(cat said)" ;; esac
  [ ! -e x/slide.csv ] || fail "results of too little memory"
  check "enough memory" 0 "slide.csv" "${detect[@]}" --out memory --memory 600
  cmp -s memory/slide.csv whole/slide.csv || fail "a limit that is kept changes the nuclei"
fi
check "a finder that looks at the whole map" 2 "leave out --components" "$nucdet" detect slide.tif --model run/best.safetensors --out x --components 0.5 -q
check "a page is a picture" 0 "slide.csv" "$nucdet" detect slide.tif --page 2 --model run/best.safetensors --out page -q
[ ! -e page/slide.overview.png ] || fail "a page became a slide"
check "done already" 0 "1 of 1 images have their results already" "$nucdet" detect slide.tif --model run/best.safetensors --threshold 0.02 --exact --tile 256 --out whole --skip-existing

# A TIFF with the name of a scanner's slide is a slide, or refused: its first page is never taken for it.
python3 - << 'P'
import struct
width = height = 64
tags = [(256, 3, width), (257, 3, height), (258, 3, 8), (262, 3, 1), (273, 4, 0), (277, 3, 1), (278, 3, height), (279, 4, width * height)]
end = 8 + 2 + 12 * len(tags) + 4
tags[4] = (273, 4, end)
file = b"II*\0" + struct.pack("<IH", 8, len(tags)) + b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
open("plain.ndpi", "wb").write(file + struct.pack("<I", 0) + bytes([90] * (width * height)))
P
cp slide.tif called.bif
named=("$nucdet" detect --model run/best.safetensors --threshold 0.02 --exact --tile 256 --out named)
check "a picture that is called a slide" 4 "plain.ndpi: is a Hamamatsu NDPI slide by its name, .*OpenSlide" "${named[@]}" plain.ndpi
check "unless its page is asked for" 0 "plain.csv" "${named[@]}" plain.ndpi --page 1 --mpp 0.25
check "a picture with that name is nothing to draw on" 4 "plain.ndpi: is a Hamamatsu NDPI slide by its name" "$nucdet" overlay plain.ndpi --detections named/plain.csv --out plain.png
if "$nucdet" doctor | grep "^OpenSlide:" | grep -v "without it" > /dev/null; then
  check "a pyramid that is called a slide" 0 "called.csv" "${named[@]}" called.bif
  cmp -s named/called.csv whole/slide.csv && [ -s named/called.overview.png ] || fail "a pyramid that is called a slide"
else
  check "a pyramid that is called a slide" 4 "called.bif: is a Ventana BIF slide by its name, .*install libopenslide" "${named[@]}" called.bif
fi
echo mine > x.journal && mkdir -p mine && cp x.journal mine/slide.journal
check "a file in the journal's place" 4 "no journal of nucdet" "${detect[@]}" --out mine
[ "$(cat mine/slide.journal)" = mine ] || fail "a file in the journal's place is gone"
exit $failed
