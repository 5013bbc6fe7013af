#!/usr/bin/env bash
# The page of a run: whole without a script, escaped, and in a real browser sorted and filtered.
# usage: test_report.sh NUCDET
set -uo pipefail
nucdet=$(realpath "$1")
source "$(dirname "$0")/check.sh"
cd "$work" || exit 1
fail() { echo "FAILED: $*"; failed=1; }
unset "${!SLURM_@}"

"$nucdet" synth --out tissue --images 8 --size 128 --seed 7 > /dev/null
"$nucdet" train tissue --out run --base 4 --iterations 4 --validate-every 2 --crop 48 --batch 2 --device cpu --quiet > /dev/null
mkdir images && i=0
for f in tissue/images/*.png; do i=$((i + 1)); cp "$f" "images/slide_$i.png"; done
mv images/slide_2.png "images/<img src=x onerror=document.title='broken'> & \"two\".png"
echo "no image" > images/slide_3.png
"$nucdet" detect images --model run/best.safetensors --device cpu --threshold 0.01 --mpp 0.25 --density --out found --report found/run.jsonl -q > /dev/null 2>&1
[ $? = 3 ] || fail "one of the images was to fail"
check "a page" 0 "report.html	8 images" "$nucdet" report found --out report.html --title 'Cohort <A> & "B"'
check "the same page again" 0 "8 images" "$nucdet" report found --out report.html --title 'Cohort <A> & "B"'
echo notes > mine.html
check "a page of somebody's" 2 "not a result of nucdet" "$nucdet" report found --out mine.html
page=$(< report.html)
[[ $page == *'<h1>Cohort &lt;A&gt; &amp; &quot;B&quot;</h1>'* ]] || fail "the title is not escaped"
[[ $page != *'<img src=x'* ]] || fail "a name became an element"
[ "$(grep -o 'data:image/jpeg;base64,/9j/' report.html | wc -l)" = 7 ] || fail "not 7 thumbnails"
grep -qE '(src|href)="(https?:)?//' report.html && fail "the page needs a network"
[ "$(grep -c '<tr' report.html)" = 9 ] || fail "not a row an image"
grep -q 'class="error">failed: .*slide_3.png' report.html || fail "the failure is not in the page"
check "no pictures" 0 "8 images" "$nucdet" report found --out small.html --thumbnail 0
grep -q 'base64' small.html && fail "pictures without being asked"
[ $failed = 0 ] || exit 1

browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || { echo "SKIPPED: no chromium, the page was not opened"; exit 77; }
open() { timeout 60 "$browser" --headless --no-sandbox --disable-gpu --user-data-dir="$work/profile" --virtual-time-budget=2000 "$@" 2> browser.log; }
# A copy whose script goes on by clicking and typing, and says in the page what became of it.
sed 's|</body>|<script>window.addEventListener("error", (e) => { document.documentElement.dataset.error = e.message; });</script>&|' report.html > try.html
cat >> try.html << 'JS'
<script>
const names = () => [...document.querySelectorAll("tbody tr:not([hidden]) th")].map((h) => h.firstChild.textContent);
const click = (text) => [...document.querySelectorAll("thead button")].find((b) => b.textContent === text).click();
const numbers = () => [...document.querySelectorAll("tbody tr")].map((r) => r.cells[2].dataset.v);
const said = { images: names().length };
click("nuclei");
said.falling = numbers().filter(Boolean).map(Number).every((v, i, all) => i === 0 || all[i - 1] >= v);
said.last = numbers().at(-1) === "";
click("nuclei");
said.rising = numbers().filter(Boolean).map(Number).every((v, i, all) => i === 0 || all[i - 1] <= v);
click("image");
said.first = names()[1];
const input = document.querySelector("#find");
input.value = "slide_7"; input.dispatchEvent(new Event("input"));
said.found = names(); said.count = document.querySelector("output").textContent;
said.sorted = document.querySelectorAll("th[aria-sort]").length; said.title = document.title;
said.pictures = [...document.images].every((i) => i.naturalWidth === 160 || i.naturalHeight === 160 || i.naturalWidth > 90);
const p = document.createElement("pre"); p.id = "said"; p.textContent = JSON.stringify(said); document.body.append(p);
</script>
JS
open --dump-dom "file://$work/report.html" > dom.html || { echo "SKIPPED: $browser does not start: $(tail -1 browser.log)"; exit 77; }
grep -q 'data-ready="yes"' dom.html || fail "the page's script did not run to its end"
[ "$(grep -o '<th scope="row">' dom.html | wc -l)" = 8 ] || fail "rows in the browser"
open --dump-dom "file://$work/try.html" > try.dom
grep -q 'data-error' try.dom && fail "the script fails: $(grep -o 'data-error="[^"]*"' try.dom)"
said=$(grep -o '<pre id="said">[^<]*' try.dom)
for wanted in '"images":8' '"falling":true' '"last":true' '"rising":true' '"found":\["slide_7"\]' '"count":"1 of 8 images"' '"sorted":1' '"pictures":true' '"title":"Cohort '; do
  grep -qE "$wanted" <<< "$said" || fail "in the browser: no $wanted in $said"
done
[ -z "${KEEP:-}" ] || { open --screenshot="$KEEP" --window-size=1280,1000 "file://$work/report.html"; }
exit $failed
