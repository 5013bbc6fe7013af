#!/usr/bin/env bash
# Many images by many processes: lists, shards, reports, locks, what is done already, merging.
# usage: test_cohorts.sh NUCDET
set -uo pipefail
nucdet=$(realpath "$1")
source "$(dirname "$0")/check.sh"
cd "$work" || exit 1
fail() { echo "FAILED: $*"; failed=1; }
# in_report REPORT... -- PATTERN: how many lines hold it
lines() { cat "${@:2}" | grep -cE -- "$1"; }
unset "${!SLURM_@}"

"$nucdet" synth --out tissue --images 8 --size 96 --seed 7 > /dev/null
"$nucdet" train tissue --out run --base 4 --iterations 4 --validate-every 2 --crop 48 --batch 2 --device cpu --quiet > /dev/null
detect=("$nucdet" detect --model run/best.safetensors --device cpu --threshold 0.01 --threads 1 --mpp 0.25)
images=(tissue/images/*.png)
all=${#images[@]}

# Lists of paths.
{ echo "# slides"; echo; for i in "${images[@]}"; do printf 'images/%s\r\n' "$(basename "$i")"; done; } > tissue/list.lst
cp tissue/list.lst tissue/list.txt
cp tissue/list.lst "tissue/list"
for list in tissue/list.lst tissue/list.txt @tissue/list; do
  check "list $list" 0 "dense_000.csv" "${detect[@]}" "$list" --out listed --overwrite -q
  [ "$(ls listed/*.csv | wc -l)" = "$all" ] || fail "$list: not every image"
  rm -rf listed
done
echo "images/a.png" > tissue/missing.lst
check "a list of what is missing" 4 "a.png" "${detect[@]}" tissue/missing.lst --out x
printf 'a.png\na.png\n' > twice.lst
check "a list with a path twice" 4 "names a.png twice" "${detect[@]}" twice.lst --out x
echo "# nothing" > none.lst
check "a list of nothing" 4 "names no images" "${detect[@]}" none.lst --out x
check "the list is no output" 2 "is the input" "${detect[@]}" @tissue/list.lst --out x --report tissue/list.lst
cp tissue/manifest.csv tissue/manifest.txt
check "a manifest called .txt" 0 "dense_000.csv" "${detect[@]}" tissue/manifest.txt --out listed -q
rm -rf listed

# Shards: together all, none twice, whatever the order of the list.
check "not a shard" 2 "wanted I/N" "${detect[@]}" tissue/list.lst --out x --shard 4/3
check "not a shard" 2 "wanted I/N" "${detect[@]}" tissue/list.lst --out x --shard 0/3
check "a summary of a shard" 2 "nucdet merge" "${detect[@]}" tissue/list.lst --out x --shard 1/3 --summary x.csv
tac tissue/list.lst > tissue/backwards.lst
for i in 1 2 3; do
  list=tissue/list.lst
  [ $i = 2 ] && list=tissue/backwards.lst
  check "shard $i" 0 "" "${detect[@]}" $list --out found --shard $i/3 --report found/run-$i.jsonl --density -q
done
[ "$(lines '"state":"done"' found/*.jsonl)" = "$all" ] || fail "shards: not every image once: $(lines . found/*.jsonl)"
[ "$(cat found/*.jsonl | grep -o '"name":"[^"]*"' | sort -u | wc -l)" = "$all" ] || fail "shards: an image twice"
check "more shards than images" 0 "^$" "${detect[@]}" tissue/list.lst --out found --shard 999/1000 -q
env=(env SLURM_ARRAY_TASK_ID=4 SLURM_ARRAY_TASK_COUNT=2 SLURM_ARRAY_TASK_MIN=2 SLURM_ARRAY_TASK_STEP=2 SLURM_ARRAY_TASK_MAX=4)
check "a task of an array" 0 "shard 2/2 of $all images, as this is a task" "${env[@]}" "${detect[@]}" tissue/list.lst --out array
[ "$(ls array/*.csv | wc -l)" -lt "$all" ] || fail "a task of an array took all images"
check "an array with a whole list" 0 "" "${env[@]}" "${detect[@]}" tissue/list.lst --out array --shard 1/1 -q
[ "$(ls array/*.csv | wc -l)" = "$all" ] || fail "--shard 1/1 left images"
check "one image is no shard" 0 "$(basename "${images[0]}" .png).csv" "${env[@]}" "${detect[@]}" "${images[0]}" --out array -q
check "an array with gaps" 2 "array with gaps" env SLURM_ARRAY_TASK_ID=7 SLURM_ARRAY_TASK_COUNT=2 SLURM_ARRAY_TASK_MIN=1 SLURM_ARRAY_TASK_MAX=7 SLURM_ARRAY_TASK_STEP=1 "${detect[@]}" tissue/list.lst --out x

# Reports: relative names of files, counts, a torn line, other people's files.
head -1 found/run-1.jsonl | grep -q '"files":\["[a-z_0-9]*.csv","[a-z_0-9]*.density.csv"' || fail "files are not named relative to the report: $(head -1 found/run-1.jsonl)"
head -1 found/run-1.jsonl | grep -qE '"area_mm2":0.000576,' || fail "no area: $(head -1 found/run-1.jsonl)"
echo "notes" > notes.jsonl
check "a report of somebody's" 2 "not a result of nucdet" "${detect[@]}" tissue/list.lst --out x --report notes.jsonl
: > empty.jsonl
check "an empty report" 0 "" "${detect[@]}" "${images[0]}" --out one --report empty.jsonl -q
has empty.jsonl
head -c 40 found/run-1.jsonl > torn && cat torn >> found/run-2.jsonl
check "a torn line" 0 "1 line is no record" "$nucdet" merge found --out merged --list tissue/list.lst
[ "$(wc -l < merged/summary.csv)" = $((all + 1)) ] || fail "summary: $(wc -l < merged/summary.csv) lines"
check "merged again" 0 "summary.csv	$all images	[0-9]+ nuclei" "$nucdet" merge found --out merged --list @tissue/list
"${detect[@]}" tissue/list.lst --out whole --summary whole.csv -q > /dev/null
cmp <(sed 's/,[^,]*$//' whole.csv | sort) <(sed 's/,[^,]*$//' merged/summary.csv | sort) || fail "the merged summary is not that of one call"

# What computed the images is counted, each kind apart where there are several.
own=$(grep -o '"device":"[^"]*"' found/run-1.jsonl | head -1 | cut -d'"' -f4)
[[ $own == cpu,* ]] || fail "the report does not say what computed: '$own'"
devices() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["devices"])' "$1/run.json"; }
[ "$(devices merged)" = "{'$own': $all}" ] || fail "devices of one kind: $(devices merged)"
mkdir mixed && cp found/run-[12].jsonl mixed
sed 's/"device":"cpu, [^"]*"/"device":"cuda, <NVIDIA>, bf16"/' found/run-3.jsonl > mixed/run-3.jsonl
moved=$(lines '"device":"cuda' mixed/run-3.jsonl)
[ "$moved" -gt 0 ] || fail "no image in shard 3"
check "several devices" 0 "^  cuda, <NVIDIA>, bf16: $moved$" "$nucdet" merge mixed --out mixed
check "several devices, the first" 0 "^  $own: $((all - moved))$" "$nucdet" merge mixed --out mixed
[ "$(devices mixed)" = "{'$own': $((all - moved)), 'cuda, <NVIDIA>, bf16': $moved}" ] || fail "several devices: $(devices mixed)"
"$nucdet" report mixed --out mixed/report.html --thumbnail 0 > /dev/null || fail "a page of several devices"
[ "$(grep -o '<td>cuda, &lt;NVIDIA&gt;, bf16</td>' mixed/report.html | wc -l)" = "$moved" ] || fail "the page does not tell the devices apart"
grep -q "computed by $own ($((all - moved)) images)" mixed/report.html || fail "the page does not count by device"
"$nucdet" report found --out merged/report.html --thumbnail 0 > /dev/null 2>&1 && grep -q "computed by $own</p>" merged/report.html || fail "the page does not say the device"
printf 'images/dense_000.png\nimages/new_1.png\nimages/new_2.png\n' > tissue/longer.lst
check "what is missing" 3 "2 images are missing" "$nucdet" merge found --out merged --list tissue/longer.lst
grep -q 'new_2.png' merged/run.json || fail "run.json does not name what is missing"
check "no reports" 4 "holds no reports" "$nucdet" merge tissue --out merged
check "a summary of somebody's" 2 "not a result of nucdet" bash -c "mkdir -p theirs && cp notes.jsonl theirs/summary.csv && '$nucdet' merge found --out theirs"
sed 's/"input":"[^"]*"/"input":"0"/; s/"image":"/"image":"\/other/' found/run-1.jsonl > other.jsonl
check "two runs at once" 4 "reports of two runs" "$nucdet" merge found other.jsonl --out merged

# What is done is known, also as a copy with other times; what failed, and --max-errors.
cp -r tissue/images copies && touch copies/*.png && sed 's/images/copies/' tissue/list.lst > copies.lst
skip=("${detect[@]}" --out found --density --skip-existing)
check "a copy is the same image" 0 "$all of $all images have their results already" "${skip[@]}" copies.lst
check "small files are known by all of their bytes" 0 "$all of $all images have their results already" "${skip[@]}" tissue/list.lst --full-hash
printf 'x' >> "copies/dense_000.png"
check "a changed image is another one" 0 "dense_000.csv" "${skip[@]}" copies.lst -q
check "what it was" 0 "dense_000.csv" "${skip[@]}" tissue/list.lst -q
rm found/dense_000.density.png
check "a file that is missing" 0 "dense_000.csv" "${skip[@]}" tissue/list.lst -q
check "said in a report of its own" 0 "$all of $all images have" "${skip[@]}" tissue/list.lst --report late/run.jsonl
[ "$(lines '"state":"skipped"' late/run.jsonl)" = "$all" ] || fail "images that are passed over are not reported"
[ "$(lines "\"device\":\"$own\"" late/run.jsonl)" = "$all" ] || fail "what computed results that were there is not said"
check "once" 0 "$all of $all images have" "${skip[@]}" tissue/list.lst --report late/run.jsonl
[ "$(lines . late/run.jsonl)" = "$all" ] || fail "images that are passed over are reported again"
check "a report of what was done before" 0 "$all images" "$nucdet" merge late --out late
cmp <(cut -d, -f1-8 whole.csv | sort) <(cut -d, -f1-8 late/summary.csv | sort) || fail "counts of results that were there"
cp tissue/list.lst tissue/bad.lst
for i in 1 2 3; do echo "no image" > "tissue/images/bad_$i.png"; echo "images/bad_$i.png" >> tissue/bad.lst; done
check "some fail" 3 "bad_3.png" "${detect[@]}" tissue/bad.lst --out bad --report bad/run.jsonl -q
[ "$(lines '"state":"failed".*"error":".*bad_[123].png' bad/run.jsonl)" = 3 ] || fail "failures are not in the report"
check "merging says so" 3 "3 images failed" "$nucdet" merge bad --out bad --list tissue/bad.lst
check "too many fail" 3 "1 have failed \(--max-errors 0\)" "${detect[@]}" tissue/bad.lst --out few --report few/run.jsonl --max-errors 0 -q
[ "$(lines '"state":"failed"' few/run.jsonl)" = 1 ] || fail "--max-errors 0 went on"
check "no more than may fail" 3 "bad_3.png" "${detect[@]}" tissue/bad.lst --out few --max-errors 3 -q
rm tissue/images/bad_*.png
check "a shard of one failure" 3 "bad_1" bash -c 'echo junk > bad_1.png; printf "bad_1.png\ntissue/images/dense_000.png\n" > two.lst; for i in 1 2; do "$@" two.lst --out sh --shard $i/2 -q 2>&1 || code=$?; done; exit ${code:-0}' - "${detect[@]}"

# Another process works on an image: it is left to that one, and looked at again at the end.
exec 9> "found/.dense_000.nucdet.lock"
flock -n 9 || fail "flock"
check "left to another run" 0 "dense_000.png: another run of nucdet works on it" "${detect[@]}" tissue/list.lst --out found --density --tile 64
grep -q '"tile": 64,' found/dense_000.json && fail "an image was not left to the run that works on it"
grep -q '"tile": 64,' "found/$(basename "${images[$((all - 1))]}" .png).json" || fail "the others were not done"
check "one image that another run works on" 4 "wait for its end" "${detect[@]}" "${images[0]}" --out found
exec 9>&-
check "its lock holds nothing then" 0 "dense_000.csv" "${detect[@]}" tissue/list.lst --out found --density --tile 64 -q
[ -z "$(find . -name '*.nucdet.lock')" ] || fail "locks are left: $(find . -name '*.nucdet.lock')"

# Two processes on one list at once, one report: every image once.
rm -rf both && mkdir both
"${detect[@]}" tissue/list.lst --out both --skip-existing --report both/run.jsonl -q > /dev/null 2>&1 & first=$!
"${detect[@]}" tissue/backwards.lst --out both --skip-existing --report both/run.jsonl -q > /dev/null 2>&1 & second=$!
wait $first || fail "the first of two"
wait $second || fail "the second of two"
[ "$(lines '"state":"done"' both/run.jsonl)" = "$all" ] || fail "two at once: $(lines '"state":"done"' both/run.jsonl) done, wanted $all"
[ "$(grep -o '"name":"[^"]*","input":"[^"]*","state":"done"' both/run.jsonl | sort -u | wc -l)" = "$all" ] || fail "two at once: an image twice"
exit $failed
