#!/usr/bin/env bash
# Trainings by several processes: one of one process, killed, resumed by another number of them, stopped, asked for
# what cannot be.
# usage: test_trainings.sh NUCDET MPIEXEC      77: mpiexec starts nothing here
set -uo pipefail
nucdet=$(realpath "$1") mpiexec=$2
source "$(dirname "$0")/launch.sh"
starts_two "$mpiexec"

"$nucdet" synth --out tissue --images 6 --size 96 --seed 7 > /dev/null
train=("$nucdet" train tissue --base 4 --crop 48 --batch 4 --validate-every 4 --device cpu --threads 1 --quiet)
# By plain steps: the gradient of a bias ahead of a batch norm is rounding alone, of which Adam makes whole steps, and a
# validation sees them until the running mean has followed.
short=(--iterations 12) plain=(--optimizer sgd --rate 0.01)
check "one process" 0 "" "${train[@]}" "${short[@]}" "${plain[@]}" --out alone
for n in 2 4; do
  for turn in a b; do check "$n ranks" 0 "best.safetensors" "$mpiexec" -n $n "${train[@]}" "${short[@]}" "${plain[@]}" --out "r$n$turn"; done
  for file in best.safetensors last.safetensors log.csv; do cmp "r${n}a/$file" "r${n}b/$file" || fail "$n ranks, again"; done
  python3 - alone/log.csv "r${n}a/log.csv" << 'PYTHON' || failed=1
import csv, sys
alone, ranks = (list(csv.DictReader(open(f))) for f in sys.argv[1:])
assert len(alone) == len(ranks) == 3, (len(alone), len(ranks))
for a, b in zip(alone, ranks):
    for key in ("loss", "gradient_norm", "validation_loss"):
        x, y = float(a[key]), float(b[key])
        assert abs(x - y) <= 1e-4 * abs(x), (key, x, y)
PYTHON
done

# Killed at any moment and resumed: the bytes of a run that nobody killed; then by another number of ranks.
long=(--iterations 40)
check "a run" 0 "" "$mpiexec" -n 2 "${train[@]}" "${long[@]}" --out whole
kills=0
for turn in 1 2 3; do
  "$mpiexec" -n 2 "${train[@]}" "${long[@]}" --out killed --resume > out 2>&1 &
  job=$!
  sleep "0.$((3 + turn))"
  victim=$(pgrep -f -- "$nucdet train.*--out killed" | grep -v "^$job\$" | tail -n 1)
  [ -n "$victim" ] && kill -9 "$victim" 2> /dev/null && kills=$((kills + 1))
  wait $job && break
done
[ $kills -gt 0 ] || fail "nothing was killed"
check "resumed after $kills kills" 0 "" "$mpiexec" -n 2 "${train[@]}" "${long[@]}" --out killed --resume
for file in best.safetensors last.safetensors log.csv; do cmp whole/$file killed/$file || fail "$file after $kills kills"; done
cp -r r2a on
check "goes on with four" 0 "" "$mpiexec" -n 4 "${train[@]}" "${short[@]}" "${plain[@]}" --out on --resume

check "a batch that cannot be shared" 2 "among 3 ranks" "$mpiexec" -n 3 "${train[@]}" "${short[@]}" --out x
check "ranks that differ" 1 "rank 1 has other data, settings or another program than rank 0" \
  "$mpiexec" -n 1 "${train[@]}" "${short[@]}" --out y : -n 1 "${train[@]}" "${short[@]}" --rate 1e-4 --out y
check "ranks on other devices" 1 "rank 1 has other .*'device: auto.*', on rank 0 'device: cpu'" \
  "$mpiexec" -n 1 "${train[@]}" "${short[@]}" --out z : -n 1 "${train[@]/#cpu/auto}" "${short[@]}" --out z

# A signal that mpirun passes on: all ranks end after the same step, with a checkpoint and one message.
"$mpiexec" -n 2 "${train[@]}" --iterations 4000 --out asked > said 2>&1 &
job=$!
for _ in $(seq 1200); do
  [ ! -s asked/last.safetensors ] || break
  sleep 0.1
done
kill -USR1 $job
wait $job
code=$?
[ $code = 130 ] || { fail "ranks that were asked to stop: exit code $code"; cat said; }
[ "$(grep -c "^nucdet: train: stopped after iteration [0-9]* of 4000" said)" = 1 ] || { fail "the message of ranks that were asked to stop"; cat said; }
exit $failed
