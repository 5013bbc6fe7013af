#!/usr/bin/env bash
# Runs train.sh on a real Slurm: four nodes on this one machine, a rank each, that `srun --mpi=pmix` starts. A job of four
# nodes is told that its time is up, one of two nodes loses a node, one of two a rank; each goes into the queue again and
# ends with the bytes of as many ranks that nobody disturbed.
# usage: test_train.sh NUCDET [MPIEXEC]     KEEP=1: the folder stays
# Needs root, Debian's slurmctld, slurmd, slurm-client, munge and openmpi-bin; without them it is skipped (77). Takes about
# 10 minutes.
set -uo pipefail
program=$(realpath "${1:?usage: test_train.sh NUCDET [MPIEXEC]}")
mpiexec=$(command -v "${2:-mpirun}") || { echo "SKIPPED: no ${2:-mpirun}"; exit 77; }
here=$(cd "$(dirname "$0")" && pwd)
nodes=(n1 n2 n3 n4)
source "$here/local.sh"
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
training=(--base 4 --crop 64 --batch 8 --device cpu --threads 1)

state() { scontrol show job -o "$1" | tr ' ' '\n' | sed -n "s/^$2=//p"; }
queued_again() { [ "$(state "$1" Restarts)" -ge 1 ]; }
some() { [ -s "$1/last.safetensors" ]; }
submit() { # submit NODES MINUTES SIGNAL OUT
  sbatch --parsable --nodes="$1" --cpus-per-task=1 --mem=0 --time="$2" --signal="$3" "$here/train.sh" tissue "$4" "${training[@]}"
}
# Slurm lets a job wait two minutes before it runs again. If it cannot be hurried, it takes those. Not at once: for 30 s
# (KillWait) a node may still kill what it finds of the job, its next run too.
hurry() {
  sleep 35
  for _ in $(seq 20); do
    scontrol update jobid="$1" TimeLimit=30 StartTime=now 2> /dev/null && return
    sleep 0.5
  done
}
# ended JOB OUT RANKS: as it should, after it was in the queue again, with the bytes of the undisturbed run
ended() {
  wait_for 400 "the end of job $1" queue_empty || exit 1
  [ "$(state "$1" JobState)" = COMPLETED ] || { fail "job $1 is $(state "$1" JobState)"; tail -n 20 "nucdet-train-$1.log"; }
  grep -q "threads on each of $3 ranks" "nucdet-train-$1.log" || fail "job $1 did not run as $3 ranks"
  grep -q "resuming after iteration" "nucdet-train-$1.log" || fail "job $1 did not go on from a checkpoint"
  for file in best.safetensors last.safetensors log.csv; do cmp "whole$3/$file" "$2/$file" || fail "job $1: $file"; done
  say "job $1: $(state "$1" Restarts) times in the queue again, the bytes of $3 ranks that nobody disturbed"
}

start_slurm || exit 1
cd "$work" || exit 1
srun --mpi=list 2>&1 | grep -q pmix || { echo "SKIPPED: this Slurm does not start MPI by pmix"; exit 77; }
say "$(sinfo --version), $("$mpiexec" --version | head -n 1), nodes ${nodes[*]}"
"$program" synth --out tissue --images 8 --size 128 --seed 9 > /dev/null || exit 1
"$mpiexec" -n 4 "$program" train tissue --out probe "${training[@]}" --iterations 20 --validate-every 20 --quiet --json > probe.json ||
  { echo "SKIPPED: $mpiexec starts no ranks of $program"; exit 77; }
# Runs of about a minute, so that Slurm's clock, which looks every half minute, hits them in the middle.
iterations=$(python3 -c 'import json; print(10 * max(2, int(6 / json.load(open("probe.json"))["step_seconds"])))')
training+=(--iterations "$iterations" --validate-every $((iterations / 10)))
say "$iterations iterations"
for ranks in 2 4; do
  "$mpiexec" -n $ranks "$program" train tissue --out whole$ranks "${training[@]}" --quiet > /dev/null || { fail "$ranks ranks"; exit 1; }
done

export NUCDET=$program
job=$(submit 4 1 TERM@45 late)
say "job $job: 4 nodes, its time is up in the middle"
wait_for 200 "the job being in the queue again" queued_again "$job" || exit 1
hurry "$job"
ended "$job" late 4
grep -q "stopped after iteration" "nucdet-train-$job.log" || fail "the ranks were not told that the time was up"

job=$(submit 2 30 TERM@60 killed)
wait_for 200 "a checkpoint" some killed || exit 1
node=$(state "$job" BatchHost)
victim=$(for pid in $(tasks_on "$node"); do [ "$(cat "/proc/$pid/comm")" != nucdet ] || echo "$pid"; done | head -n 1)
say "job $job: 2 nodes, the rank on $node is killed ($victim)"
kill -9 "$victim" || fail "no rank was killed"
wait_for 200 "the job being in the queue again" queued_again "$job" || exit 1
hurry "$job"
ended "$job" killed 2

job=$(submit 2 30 TERM@60 lost)
wait_for 200 "a checkpoint" some lost || exit 1
node=$(scontrol show hostnames "$(state "$job" NodeList)" | grep -vx "$(state "$job" BatchHost)")
say "job $job: 2 nodes, $node fails"
lose "$node" tasks
wait_for 300 "the job being in the queue again" queued_again "$job" || exit 1
hurry "$job"
ended "$job" lost 2
[ $failed = 0 ] && say "passed"
exit $failed
