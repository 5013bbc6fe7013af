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

slide() {  # slide WHAT WIDTH HEIGHT TISSUE
  "$make" slide.tif "$2" "$3" || fail make_giant_slide
  "$peer" slide "$weights" slide.tif "$4" c.csv || fail "$1: C and C++ differ"
  "$nucdet" detect slide.tif --model "$weights" --device cpu --tile 512 --tissue "$4" --out slide --quiet > /dev/null
  cmp c.csv slide/slide.csv || fail "$1: the program finds others"
  [ "$(wc -l < c.csv)" -gt 100 ] || fail "$1: next to nothing was found"
  rm -r slide c.csv
}
slide "a slide, 71 % of it tissue" 4000 3000 auto
slide "a slide without tissue" 2600 1500 all
exit $failed
