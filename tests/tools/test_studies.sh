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
rm "$(ls -d "$work"/studies/models/micronet-4-dense-*)/training.json"  # as if it had been stopped
check "study cross goes on" 0 "trained micronet-4 dense" study cross
cmp "$work/cross.md" "$work/studies/cross/report.md" || { echo "FAILED: a study that went on has another report"; failed=1; }
check "study finetune" 0 "from" study finetune --targets dense
has studies/finetune/bases.csv studies/finetune/iterations-dense.svg studies/finetune/shares-dense.svg studies/finetune/stage.svg studies/finetune/frozen.svg
check "study mix" 0 "others" study mix --targets dense
has studies/mix/auxiliary.csv studies/mix/shares-dense.svg
check "study gamma" 0 "gamma 100" study gamma --targets dense --gammas 1,100
has studies/gamma/f1-dense.svg studies/gamma/results.csv
check "study lambda" 0 "lambda 50" study lambda --targets dense --lambdas 5,50
has studies/lambda/f1.svg studies/lambda/pr-dense.svg
check "study baseline" 0 "baseline/report.md" "$nucdet" study baseline --data "$work/organs" --organs dense --out "$work/studies" --budget cpu --iterations 2 --networks fcrn-a,micronet-lite --quiet
grep -q "^\"FCRN-A, density\",organs,dense,1," "$work/studies/baseline/results.csv" || { echo "FAILED: no row of FCRN-A"; failed=1; }
check "study of nothing" 2 "fraud" "$nucdet" study fraud --data "$work/organs" --out "$work/studies"
check "study of an organ that is not there" 4 "no images of the organ 'heart'" study cross --organs heart
check "study of a target that is not there" 2 "no organ 'heart', there are dense, medium, sparse" study mix --targets heart
exit $failed
