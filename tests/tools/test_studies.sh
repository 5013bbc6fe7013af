#!/usr/bin/env bash
# Every study from the outside, at a size of seconds: its files, and that what is there is not made again.
# usage: test_studies.sh NUCDET
set -uo pipefail
nucdet=$1
source "$(dirname "$0")/check.sh"

study() { "$nucdet" study "$@" --data "$work/organs" --out "$work/studies" --budget cpu --iterations 4 --base 4 2>&1; }
check "synth for studies" 0 "manifest.csv" "$nucdet" synth --out "$work/organs" --images 12 --size 96 --seed 5
check "study cross" 0 "trained micronet-4 dense" study cross
has studies/cross/report.md studies/cross/f1-organs-micronet-4.csv studies/cross/cross-organs-micronet-4.svg
cp "$work/studies/cross/report.md" "$work/cross.md"
trained=$(ls "$work/studies/models")
check "study cross again" 0 "cross/report.md" study cross --quiet
cmp "$work/cross.md" "$work/studies/cross/report.md" || { echo "FAILED: a repeated study has another report"; failed=1; }
[ "$trained" = "$(ls "$work/studies/models")" ] || { echo "FAILED: a repeated study trained again"; failed=1; }
! grep -q "trainings by" "$work/cross.md" || { echo "FAILED: one device, and the report says several"; failed=1; }
cp -r "$work/studies" "$work/machines" && sed -i 's/"device": *"[^"]*"/"device": "cuda, another, fp32"/' "$work"/machines/models/micronet-4-dense-*/training.json
check "study cross of two machines" 0 "cross/report.md" "$nucdet" study cross --data "$work/organs" --out "$work/machines" --budget cpu --iterations 4 --base 4 --quiet
grep -q "| trainings by | cuda, another, fp32: 1 |" "$work/machines/cross/report.md" && grep -q "| trainings by | cpu.*: 2 |" "$work/machines/cross/report.md" || { echo "FAILED: the report does not name two devices"; failed=1; }
rm "$(ls -d "$work"/studies/models/micronet-4-dense-*)/training.json"  # as if it had been stopped
check "study cross goes on" 0 "trained micronet-4 dense" study cross
cmp "$work/cross.md" "$work/studies/cross/report.md" || { echo "FAILED: a study that went on has another report"; failed=1; }
# What is kept of a study may leave out the weights.
cp -r "$work/studies" "$work/kept" && rm "$work"/kept/models/*/*.safetensors
check "study cross without weights" 0 "cross/report.md" "$nucdet" study cross --data "$work/organs" --out "$work/kept" --budget cpu --iterations 4 --base 4 --report-only --quiet
cmp "$work/cross.md" "$work/kept/cross/report.md" || { echo "FAILED: another report without the weights"; failed=1; }
check "study finetune" 0 "from" study finetune --targets dense
has studies/finetune/bases.csv studies/finetune/iterations-dense.svg studies/finetune/shares-dense.svg studies/finetune/stage.svg studies/finetune/frozen.svg
# A base that failed, and one that ended before its second snapshot: what was to begin with them gives nothing, and says so.
best=$(awk -F, 'NR == 2 { print $2 }' "$work/studies/finetune/bases.csv") worst=$(awk -F, 'NR == 2 { print $3 }' "$work/studies/finetune/bases.csv")
cp -r "$work/studies" "$work/broken"
for base in "$work/broken/models/micronet-4-$worst"-*; do printf 'the loss is not finite' > "$base/failure.txt"; done
rm -r "$work/broken/models/micronet-4-dense-from-$worst"-* "$work/broken/models/micronet-4-dense-from-$best-2"-* "$work/broken/models/micronet-4-$best"-*/snapshot-2.safetensors
check "study finetune from a failed base" 0 "finetune/report.md" "$nucdet" study finetune --targets dense --data "$work/organs" --out "$work/broken" --budget cpu --iterations 4 --base 4 --quiet
grep -q "from $worst, seed 1.*begin with failed: the loss is not finite" "$work/broken/finetune/failures.csv" || { echo "FAILED: no word of the base that failed"; failed=1; }
grep -q "from $best 2, seed 1.*ended before snapshot-2" "$work/broken/finetune/failures.csv" || { echo "FAILED: no word of the base that ended early"; failed=1; }
check "study finetune of fewer iterations than stages" 0 "finetune/report.md" "$nucdet" study finetune --targets dense --data "$work/organs" --out "$work/broken" --budget cpu --iterations 2 --base 4 --quiet
check "study mix" 0 "others" study mix --targets dense
has studies/mix/auxiliary.csv studies/mix/shares-dense.svg
check "study gamma" 0 "gamma 100" study gamma --targets dense --gammas 1,100
has studies/gamma/f1-dense.svg studies/gamma/results.csv
check "study lambda" 0 "lambda 50" study lambda --targets dense --lambdas 5,50
has studies/lambda/f1.svg studies/lambda/pr-dense.svg
check "study baseline" 0 "baseline/report.md" "$nucdet" study baseline --data "$work/organs" --organs dense --out "$work/studies" --budget cpu --iterations 2 --networks fcrn-a,micronet-lite --quiet
grep -q "^\"FCRN-A, density\",organs,dense,1," "$work/studies/baseline/results.csv" || { echo "FAILED: no row of FCRN-A"; failed=1; }
fail() { echo "FAILED: $1"; failed=1; }

# The budget's second seed goes to the first network and its two closest rivals, which validation chooses.
overnight() {
  "$nucdet" study baseline --data "$1" --organs dense,medium --out "$work/studies" --budget overnight --iterations 2 --networks fcrn-a,micronet-lite "${@:2}" 2>&1
}
check "study plan" 0 "12 trainings, 3 done in .*, 9 to do.*; later: " overnight "$work/organs" --plan
check "study overnight" 0 "baseline/report.md" overnight "$work/organs" --quiet
grep -q "| seeds | 1; of the first network and its two closest rivals 2 from there on |" "$work/studies/baseline/report.md" || fail "the report does not tell of second seeds"
has studies/baseline/networks.csv studies/baseline/differences.csv studies/baseline/thresholds.csv studies/baseline/thresholds-test.svg
[ "$(grep -cE ',organs,(dense|medium),2,' "$work/studies/baseline/results.csv")" -eq 6 ] || fail "three networks with a second seed on two organs are six rows"
check "study plan of what is there" 0 "12 trainings, 12 done .*, 0 to do" overnight "$work/organs" --plan

# All networks at one cost; what is not the first data set chooses nothing and may have other organs.
check "synth of another data set" 0 "manifest.csv" "$nucdet" synth --out "$work/elsewhere" --images 12 --size 96 --seed 6
check "study equal" 0 "equal/report.md" "$nucdet" study equal --data "$work/organs" --organs dense,medium --data "$work/elsewhere" --out "$work/studies" --budget cpu --iterations 2 --networks fcrn-a,micronet-lite --quiet
grep -q 'one model a network: no verdict' "$work/studies/equal/differences-organs.csv" || fail "a verdict from one model a network"
grep -q '^"MicroNetLite, base 32"' "$work/studies/equal/networks-elsewhere.csv" || fail "MicroNetLite costs what MicroNet of base 8 does with 32 filters"
grep -q '^"FCRN-A, density, base 16"' "$work/studies/equal/networks-organs.csv" || fail "FCRN-A costs what MicroNet of base 8 does with 16 filters"
grep -q '^MicroNetLite,elsewhere,sparse,1,' "$work/studies/equal/results.csv" || fail "no row of another data set"

# Test images choose nothing: with other nuclei in them the same is trained, from the same bases, at the same thresholds.
mkdir -p "$work/changed" && cp -r "$work/organs" "$work/changed"
awk -F, 'NR == 1 { for (i = 1; i <= NF; ++i) at[$i] = i } NR > 1 && $at["split"] == "test" { print $at["annotations"] }' "$work/organs/manifest.csv" > "$work/tests.txt"
[ -s "$work/tests.txt" ] || fail "no test images"
while read -r annotations; do  # as many nuclei, elsewhere
  awk 'BEGIN { print "x,y" } NR > 1 { print 3 + 7 * (NR % 13) "," 3 + 7 * (int(NR / 13) % 13) }' "$work/organs/$annotations" > "$work/changed/organs/$annotations"
done < "$work/tests.txt"
trained=$(cd "$work/studies/models" && ls)
cp "$work/studies/baseline/thresholds.csv" "$work/thresholds.csv" && cp "$work/studies/baseline/results.csv" "$work/results.csv"
cp "$work/studies/finetune/bases.csv" "$work/bases.csv"
changed() { "$nucdet" study "$@" --data "$work/changed/organs" --out "$work/studies" --budget cpu --iterations 4 --base 4 --targets dense --quiet 2>&1; }
check "study of other test images" 0 "baseline/report.md" overnight "$work/changed/organs" --quiet
check "study finetune of other test images" 0 "finetune/report.md" changed finetune
check "study gamma of other test images" 0 "gamma/report.md" changed gamma --gammas 1,100
[ "$trained" = "$(cd "$work/studies/models" && ls)" ] || fail "other test images, other trainings"
cmp "$work/thresholds.csv" "$work/studies/baseline/thresholds.csv" || fail "other test images, other thresholds"
cmp "$work/bases.csv" "$work/studies/finetune/bases.csv" || fail "other test images, other bases"
! cmp -s "$work/results.csv" "$work/studies/baseline/results.csv" || fail "other test images, the same scores"

# By parts: two shards in turns until all is there, then the report; every weight has the same bits.
sharded() { "$nucdet" study gamma --data "$work/organs" --out "$work/shards" --budget cpu --iterations 4 --base 4 --targets dense --gammas 1,100 --quiet "$@" 2>&1; }
check "study plan without a trace" 0 "to do  micronet-4 dense" sharded --plan
[ ! -e "$work/shards" ] || fail "a plan left something"
check "study shard" 0 "results are not there yet that decide on .*run all shards again" sharded --shard 1/2
check "study report without all" 2 "trainings are not in .*shards" sharded --report-only
check "study other shard" 0 "shard 2/2" sharded --shard 2/2
check "study shard again" 0 "all is there" sharded --shard 1/2
check "study report of shards" 0 "gamma/report.md" sharded --report-only
check "study shard and report" 2 "--report-only is of the whole" sharded --report-only --shard 1/2
check "study shard of nothing" 2 "wanted I/N" sharded --shard 3/2
exec 9> "$work/shards/.nucdet-shard-mix-1-of-2.lock" && flock 9
check "study shard beside another study's" 0 "all is there" sharded --shard 1/2
check "study shard begun twice" 4 "works on the shard 1/2 of mix" "$nucdet" study mix --data "$work/organs" --out "$work/shards" --shard 1/2 --quiet
exec 9>&-
check "study gamma of the first data" 0 "gamma/report.md" study gamma --targets dense --gammas 1,100 --quiet
cmp "$work/shards/gamma/results.csv" "$work/studies/gamma/results.csv" || fail "shards have other results than one run"
for model in "$work"/shards/models/*; do
  cmp "$model/best.safetensors" "$work/studies/models/$(basename "$model")/best.safetensors" || fail "a shard's weights are others"
done

# Stopped in a training and called again: the same bits, and no checkpoint left.
long=(study lambda --data "$work/organs" --organs dense --targets dense --lambdas 5 --budget cpu --iterations 120 --net fcrn-a --base 4 --threads 1 --quiet)
check "study undisturbed" 0 "lambda-fcrn-a/report.md" "$nucdet" "${long[@]}" --out "$work/whole"
"$nucdet" "${long[@]}" --out "$work/stopped" > "$work/stopped.txt" 2>&1 &
pid=$!
for _ in $(seq 1500); do compgen -G "$work/stopped/models/*/last.safetensors" > /dev/null && break || sleep 0.02; done
kill -TERM "$pid"
wait "$pid"
code=$?
[ "$code" -eq 130 ] || { fail "a study that was asked to stop ended with $code" && cat "$work/stopped.txt"; }
compgen -G "$work/stopped/models/*/last.safetensors" > /dev/null || fail "a study that was asked to stop left no checkpoint"
check "study goes on" 0 "lambda-fcrn-a/report.md" "$nucdet" "${long[@]}" --out "$work/stopped"
for model in "$work"/whole/models/*; do
  cmp "$model/best.safetensors" "$work/stopped/models/$(basename "$model")/best.safetensors" || fail "stopped and gone on: other weights"
  cmp "$model/log.csv" "$work/stopped/models/$(basename "$model")/log.csv" || fail "stopped and gone on: another log"
done
! compgen -G "$work/stopped/models/*/last.safetensors" > /dev/null && ! compgen -G "$work/stopped/models/*/seconds.txt" > /dev/null || fail "a finished study left a checkpoint"

check "study of data of one name" 2 "both called 'organs'" study cross --data "$work/changed/organs"
check "study of a seed that JSON cannot hold" 2 "the seed 9007199254740993, wanted at most" study cross --seed 9007199254740993
check "study of nothing" 2 "fraud" "$nucdet" study fraud --data "$work/organs" --out "$work/studies"
check "study of an organ that is not there" 4 "no images of the organ 'heart'" study cross --organs heart
check "study of a target that is not there" 2 "no organ 'heart', there are dense, medium, sparse" study mix --targets heart
exit $failed
