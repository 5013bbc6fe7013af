#!/usr/bin/env bash
# Training by several processes: ranks that agree, hang, die, differ; runs that are resumed by another number of them.
# usage: test_mpi.sh TEST_MPI_RANKS NUCDET MPIEXEC      77: mpiexec starts nothing here
set -uo pipefail
ranks=$(realpath "$1") nucdet=$(realpath "$2") mpiexec=$3
source "$(dirname "$0")/../tools/check.sh"
cd "$work" || exit 1
fail() { echo "FAILED: $*"; failed=1; }
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
export OMPI_MCA_btl_base_warn_component_unused=0
# Open MPI's own leaks (PMIx, hwloc: some are found at each exit) would fail a build with sanitizers.
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0"
unset "${!SLURM_@}"
if ! "$mpiexec" -n 2 true > /dev/null 2>&1; then
  echo "SKIPPED: $mpiexec starts no two processes here"
  exit 77
fi

for n in 2 3 4; do check "$n ranks" 0 "^$n ranks agree" "$mpiexec" -n $n "$ranks"; done
for bucket in 7 100 1000000; do
  check "buckets of $bucket" 0 "^3 ranks agree" "$mpiexec" -n 3 "$ranks" $bucket
done
for how in hang hang-halfway; do
  begin=$SECONDS
  check "a rank that does not come: $how" 7 "one of them hangs or has ended" "$mpiexec" -n 2 "$ranks" $how
  [ $((SECONDS - begin)) -lt 30 ] || fail "it took $((SECONDS - begin)) s to notice"
done

"$nucdet" synth --out tissue --images 6 --size 96 --seed 7 > /dev/null
train=("$nucdet" train tissue --base 4 --crop 48 --batch 4 --validate-every 4 --device cpu --threads 1 --quiet)
short=(--iterations 12)
check "one process" 0 "" "${train[@]}" "${short[@]}" --out alone
for n in 2 4; do
  for turn in a b; do check "$n ranks" 0 "best.safetensors" "$mpiexec" -n $n "${train[@]}" "${short[@]}" --out "r$n$turn"; done
  for file in best.safetensors last.safetensors log.csv; do cmp "r${n}a/$file" "r${n}b/$file" || fail "$n ranks, again"; done
  python3 - alone/log.csv "r${n}a/log.csv" << 'PYTHON' || failed=1
import csv, sys
alone, ranks = (list(csv.DictReader(open(f))) for f in sys.argv[1:])
assert len(alone) == len(ranks) == 3, (len(alone), len(ranks))
for a, b in zip(alone, ranks):
    for key in ("loss", "gradient_norm", "validation_loss"):
        x, y = float(a[key]), float(b[key])
        assert abs(x - y) <= 1e-2 * abs(x), (key, x, y)
assert abs(float(alone[0]["loss"]) / float(ranks[0]["loss"]) - 1) < 1e-4, (alone[0], ranks[0])
PYTHON
done

# Killed at any moment and resumed: the bytes of a run that nobody killed; then by another number of ranks.
long=(--iterations 40)
check "a run" 0 "" "$mpiexec" -n 2 "${train[@]}" "${long[@]}" --out whole
kills=0
for turn in 1 2 3 4 5 6; do
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
check "goes on with four" 0 "" "$mpiexec" -n 4 "${train[@]}" --iterations 12 --out on --resume

check "a batch that cannot be shared" 2 "among 3 ranks" "$mpiexec" -n 3 "${train[@]}" "${short[@]}" --out x
check "ranks that differ" 1 "rank 1 has other data, settings or another program than rank 0" \
  "$mpiexec" -n 1 "${train[@]}" "${short[@]}" --out y : -n 1 "${train[@]}" "${short[@]}" --rate 1e-4 --out y
check "ranks on other devices" 1 "rank 1 has other .*'device: auto.*', on rank 0 'device: cpu'" \
  "$mpiexec" -n 1 "${train[@]}" "${short[@]}" --out z : -n 1 "${train[@]/#cpu/auto}" "${short[@]}" --out z

# A signal that mpirun passes on: all ranks end after the same step, with a checkpoint and one message.
"$mpiexec" -n 2 "${train[@]}" --iterations 4000 --out asked > said 2>&1 &
job=$!
for _ in $(seq 300); do
  [ ! -s asked/last.safetensors ] || break
  sleep 0.1
done
kill -USR1 $job
wait $job
code=$?
[ $code = 130 ] || { fail "ranks that were asked to stop: exit code $code"; cat said; }
[ "$(grep -c "^nucdet: train: stopped after iteration [0-9]* of 4000" said)" = 1 ] || { fail "the message of ranks that were asked to stop"; cat said; }
exit $failed
