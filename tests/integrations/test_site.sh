#!/usr/bin/env bash
# The documentation site: made, no link broken, and shown by a browser from the disk.
#   test_site.sh SOURCE OUT      OUT: a folder for the site and, where Chromium is found, pictures of it
# Without pandoc or Doxygen it says SKIPPED and exits with 77.
set -euo pipefail
source=$(realpath "$1") out=$2
for tool in pandoc doxygen python3; do
  command -v $tool > /dev/null || { echo "SKIPPED: no $tool: apt-get install $tool"; exit 77; }
done
fail() { echo "FAILED: $*" >&2; exit 1; }
mkdir -p "$out"
out=$(realpath "$out")
rm -rf "$out/site" "$out/not-a-site"
# What is no site is left alone, though it has the same style sheet; so are folders of the project.
mkdir "$out/not-a-site"
touch "$out/not-a-site/style.css" "$out/not-a-site/index.html"
for folder in "$out/not-a-site" "$source" "$source/docs/new"; do
  "$source/scripts/make_site.py" "$folder" --no-reference 2> "$out/told.txt" && fail "$folder was made a site"
  grep -qE 'is no site|a folder of the project' "$out/told.txt" || fail "of $folder it says: $(cat "$out/told.txt")"
done
[ -e "$out/not-a-site/style.css" ] || fail "a folder that is no site was emptied"
"$source/scripts/make_site.py" "$out/site"
"$source/scripts/check_links.py" "$out/site"
# The checker itself: a link to nothing, and one to no place.
mkdir -p "$out/broken"
echo '<a href="nothing.html">a</a><a href="#nowhere">b</a>' > "$out/broken/index.html"
"$source/scripts/check_links.py" "$out/broken" > "$out/broken/told.txt" && fail "broken links pass"
[ "$(wc -l < "$out/broken/told.txt")" = 2 ] || fail "of broken links it says: $(cat "$out/broken/told.txt")"

chromium=$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)
if [ -z "$chromium" ]; then
  echo "note: no Chromium, so nobody looked at the site"
  exit 0
fi
profile=$(mktemp -d)
trap 'rm -rf "$profile"' EXIT
browser() {
  timeout 60 "$chromium" --headless --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir="$profile" "$@" 2> "$out/browser.log"
}
picture() { browser --window-size="$3" --screenshot="$out/$2" "file://$out/site/$1" > /dev/null; [ -s "$out/$2" ] || fail "no picture of $1"; }
picture index.html index.png 1400,1000
picture index.html phone.png 500,900
picture formats.html formats.png 1400,1000
picture reference/index.html reference.png 1400,1000
browser --dump-dom "file://$out/site/tutorial.html" > "$out/tutorial.dom"
grep -q '<h1 id="tutorial">' "$out/tutorial.dom" || fail "the tutorial has no title in the browser"
# The sheet is found from the disk: without it the page looks otherwise.
mv "$out/site/style.css" "$out/style.css.away"
picture index.html bare.png 1400,1000
mv "$out/style.css.away" "$out/site/style.css"
cmp -s "$out/index.png" "$out/bare.png" && fail "the page looks the same without its style sheet"
echo "pictures of the site in $out"
