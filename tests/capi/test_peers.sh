#!/usr/bin/env bash
# The C interface, the C++ library and the program find the same nuclei, bit for bit: in 50 images, at another scale, with
# classes, in a slide. usage: test_peers.sh PEER WEIGHTS MODELS NUCDET MAKE_GIANT_SLIDE      MODELS: the folder of the weights
# that come along
set -uo pipefail
peer=$1 weights=$2 models=$3 nucdet=$4 make=$5
source "$(dirname "$0")/../tools/check.sh"
cd "$work" || exit 1
fail() { echo "FAILED: $*"; failed=1; }

"$nucdet" synth --out tissue --images 50 --size 80 --seed 5 > /dev/null || fail synth
images=(tissue/images/*.png)
compare() {  # compare WHAT UM WEIGHTS IMAGE...
  local what=$1 um=$2 by=$3 option=()
  shift 3
  rm -rf c program
  mkdir c
  if [ "$um" != 0 ]; then option=(--mpp "$um"); fi
  "$peer" images "$by" "$um" c "$@" || fail "$what: C and C++ differ"
  "$nucdet" detect "$@" --model "$by" --device cpu "${option[@]}" --out program --quiet > /dev/null || fail "$what: the program"
  local image nuclei=0
  for image in "$@"; do
    image=$(basename "$image" .png).csv
    cmp "c/$image" "program/$image" || fail "$what: the program finds others in $image"
    nuclei=$((nuclei + $(wc -l < "c/$image") - 1))
  done
  echo "$what: the same $nuclei nuclei in $# images"
  [ "$nuclei" -gt $(($# * 2)) ] || fail "$what: next to nothing was found"
}
compare "50 images" 0 "$weights" "${images[@]}"
compare "at 0.5 um" 0.5 "$weights" "${images[@]:0:5}"
compare "weights that come along" 0 "$models/nuclei-he.safetensors" "${images[@]:0:3}"
compare "with classes" 0 "$models/nuclei-he-classes.safetensors" "${images[@]:0:3}"

"$make" slide.tif 1800 1500 || fail make_giant_slide
for tissue in auto all; do
  "$peer" slide "$weights" slide.tif $tissue c.csv || fail "the slide, $tissue: C and C++ differ"
  "$nucdet" detect slide.tif --model "$weights" --device cpu --exact --tissue $tissue --out slide-$tissue --quiet > /dev/null
  cmp c.csv slide-$tissue/slide.csv || fail "the slide, $tissue: the program finds others"
  [ "$(wc -l < c.csv)" -gt 100 ] || fail "the slide, $tissue: next to nothing was found"
done
cmp -s slide-auto/slide.csv slide-all/slide.csv && fail "tissue makes no difference"
exit $failed
