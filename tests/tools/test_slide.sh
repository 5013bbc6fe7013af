#!/usr/bin/env bash
# What nucdet says and makes of slides.    usage: test_slide.sh NUCDET MAKE_GIANT_SLIDE
set -uo pipefail
nucdet=$1 make=$2
source "$(dirname "$0")/check.sh"
fail() { echo "FAILED $*"; failed=1; }
data=${NUCDET_DATA:-$(cd "$(dirname "$0")/../.." && pwd)/shared/data}
cd "$work" || exit 1

"$make" giant.tif || fail "make_giant_slide"
"$make" small.tif 5000 3000 || fail "make_giant_slide of a size"
check "a giant" 0 "^size: +100000 x 80000 pixels" "$nucdet" slide info giant.tif
check "its pixel size" 0 "^um a pixel: +0.25 x 0.25 \(TIFF resolution\)" "$nucdet" slide info giant.tif
check "its levels" 0 "^level 6: +1562 x 1250 pixels, 1 / 64.0205, tiles of 256 x 256" "$nucdet" slide info giant.tif
"$nucdet" slide info giant.tif --json > giant.json || fail "slide info --json"
python3 - << 'E' || fail "what --json says: $(cat giant.json)"
import json
j = json.load(open("giant.json"))
assert j["width"] == 100000 and j["height"] == 80000 and len(j["levels"]) == 7
assert j["levels"][3]["width"] == 12500 and j["levels"][3]["downsample_x"] == 8
assert abs(j["um_per_pixel"]["x"] - 0.25) < 1e-9 and j["bounds"]["width"] == 100000 and j["associated"] == []
E

check "a thumbnail" 0 "^t.png" "$nucdet" slide thumbnail giant.tif --out t.png
check "its size" 0 '"width":1024,"height":819' "$nucdet" slide thumbnail giant.tif --out t.png --json
check "of a side" 0 '"width":300,"height":240' "$nucdet" slide thumbnail giant.tif --out t.png --longest 300 --json
check "no larger than the slide" 0 '"width":5000,"height":3000' "$nucdet" slide thumbnail small.tif --out s.png --longest 9000 --json
check "a picture that is not there" 4 "has no picture 'label'" "$nucdet" slide thumbnail giant.tif --associated label --out l.png
[ ! -e l.png ] || fail "a file without a picture"
check "not a PNG" 2 "wanted a name in .png" "$nucdet" slide thumbnail giant.tif --out t.jpg
printf x > mine.png
check "a user's file" 2 "mine.png" "$nucdet" slide thumbnail giant.tif --out mine.png
check "the slide itself" 2 "png" "$nucdet" slide thumbnail giant.tif --out giant.tif

# Files that are no slides, and slips.
printf 'no slide' > a.svs
check "a text" 4 "a.svs: is a text, wanted a slide" "$nucdet" slide info a.svs
check "a picture" 4 "is a PNG picture, wanted a slide" "$nucdet" slide info t.png
check "a missing file" 4 "cannot be opened" "$nucdet" slide info none.svs
head -c 100000 giant.tif > cut.tif
check "a cut slide" 4 "cut.tif: TIFF" "$nucdet" slide info cut.tif
check "no command" 2 "subcommand" "$nucdet" slide
check "a misspelt command" 2 "unknown command 'inf' of nucdet slide, did you mean 'info'" "$nucdet" slide inf giant.tif
check "a misspelt option" 2 "unknown option '--jsn' of nucdet slide info, did you mean '--json'" "$nucdet" slide info giant.tif --jsn
check "an argument too many" 2 "'b' is one argument more than nucdet slide info takes" "$nucdet" slide info giant.tif b
printf '[slide.thumbnail]\nlongest = 200\n' > c.toml
check "options of a file" 0 '"width":200' "$nucdet" --config c.toml slide thumbnail giant.tif --out t.png --json
printf '[slide.thumbnail]\nlongst = 200\n' > c.toml
check "a misspelt key" 2 "unknown key 'longst' in section \[slide.thumbnail\], did you mean 'longest'" "$nucdet" --config c.toml slide info giant.tif
check "help" 0 "nucdet slide thumbnail a.svs" "$nucdet" slide --help
check "doctor" 0 "^OpenSlide:" "$nucdet" doctor
check "doctor as JSON" 0 '"openslide":' "$nucdet" doctor --json

# The manual page and the completions know commands of commands.
"$nucdet" man > nucdet.1
grep -q "^.SH NUCDET SLIDE THUMBNAIL" nucdet.1 || fail "the manual page"
"$nucdet" completion bash > completion.bash
complete_words() { bash -c 'source completion.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _nucdet; echo "${COMPREPLY[@]}"' - "$@"; }
[ "$(complete_words nucdet sl)" = "slide" ] || fail "completion of slide"
[ "$(complete_words nucdet slide th)" = "thumbnail" ] || fail "completion below slide: $(complete_words nucdet slide th)"
[ "$(complete_words nucdet slide thumbnail --lo)" = "--longest" ] || fail "completion of an option below slide"
[ -z "$(complete_words nucdet slide info pic)" ] || fail "completion of a file"
"$nucdet" completion fish > nucdet.fish
grep -q "__fish_seen_subcommand_from slide; and __fish_seen_subcommand_from thumbnail' -l longest" nucdet.fish || fail "the completion for fish"
for shell in zsh fish; do
  if command -v $shell > /dev/null; then "$nucdet" completion $shell > c && $shell -n c || fail "$shell -n"; fi
done

if "$nucdet" doctor | grep "^OpenSlide:" | grep -v "without it" > /dev/null; then
  "$make" bounds.scn 2000 1500 600 400 || fail "make_giant_slide of bounds"
  check "bounds" 0 "^scanned: +2000 x 1500 pixels at \(600, 400\)" "$nucdet" slide info bounds.scn
  check "bounds as JSON" 0 '"bounds":\{"x":600,"y":400,"width":2000,"height":1500\}' "$nucdet" slide info bounds.scn --json
else
  echo "SKIPPED: bounds, for want of OpenSlide"
fi

slide=$data/wsi/CMU-1-Small-Region.svs
if [ -e "$slide" ]; then
  check "a real slide" 0 "^um a pixel: +0.499 x 0.499 \(Aperio MPP\)" "$nucdet" slide info "$slide"
  check "what is beside it" 0 "^beside it: +label, macro, thumbnail" "$nucdet" slide info "$slide"
  check "its label" 0 '"width":387,"height":463' "$nucdet" slide thumbnail "$slide" --associated label --out label.png --json
else
  echo "SKIPPED: no $slide (set NUCDET_DATA)"
fi
exit $failed
