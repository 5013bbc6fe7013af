#!/usr/bin/env bash
# Runs array.sh on a real Slurm: three nodes on this one machine, 40 small slides in 8 tasks. Half-way one node is lost with
# its tasks, of another one only the daemon (its tasks go on, and are started a second time elsewhere), one task is asked
# to stop. In the end every slide was done exactly once, to the bytes of one undisturbed call. Then the Snakefile does the
# same slides, by jobs of this Slurm and on this machine, where snakemake is found.
# usage: test.sh NUCDET MAKE_GIANT_SLIDE     KEEP=1: the folder stays; SNAKEMAKE: the program, with its plugin for Slurm
# Needs root and Debian's slurmctld, slurmd, slurm-client and munge; without them it is skipped (77). Takes 4 to 10 minutes.
set -uo pipefail
program=$(realpath "${1:?usage: test.sh NUCDET MAKE_GIANT_SLIDE}")
make=$(realpath "${2:?usage: test.sh NUCDET MAKE_GIANT_SLIDE}")
snakemake=$(command -v "${SNAKEMAKE:-snakemake}" || true)
here=$(cd "$(dirname "$0")" && pwd)
nodes=(n1 n2 n3)
source "$here/local.sh"
done_lines() { cat found/run/*.jsonl 2> /dev/null | grep -c '"state":"done"'; }
some_done() { [ "$(done_lines)" -ge "$1" ]; }
attempts() { [ "$(ls found/run/*"_$1-$2.jsonl" 2> /dev/null | wc -l)" -ge 1 ]; }

# Each of another size and with another tissue.
make_slides() {
  local i
  mkdir -p slides
  for i in $(seq "$1"); do "$make" "slides/s$i.tif" $((2000 + i)) $((1500 - 20 * i)) "$i" || return 1; done
  (cd slides && ls ./*.tif | sed 's|^\./||') > slides/list.lst
}
# by_snakemake NAME [OPTION...]: every slide in 4 shards, with the bytes of the undisturbed call.
by_snakemake() {
  local name=$1 one
  shift
  "$snakemake" -s "$here/../snakemake/Snakefile" --profile "$here/../snakemake/profile" --directory "$work/$name" \
    --config "list=$work/slides/list.lst" "out=$work/$name" shards=4 "nucdet=$program" "options=${options[*]}" \
    --set-threads shard=1 --set-resources shard:mem_mb=500 shard:runtime=20 "$@" > "$name.log" 2>&1 ||
    { fail "snakemake, $name"; tail -n 30 "$name.log"; return; }
  for one in alone/s*; do cmp -s "$one" "$name/${one#alone/}" || fail "$name/${one#alone/} is not that of one undisturbed call"; done
  [ -s "$name/report.html" ] || fail "snakemake, $name: no page"
  [ "$(tail -n +2 "$name/summary.csv" | wc -l)" = "$images" ] || fail "snakemake, $name: the summary has not every slide"
  say "snakemake $("$snakemake" --version), $name: $images slides, the same bytes"
}

start_slurm || exit 1
cd "$work" || exit 1
say "Slurm $(sinfo --version | cut -d' ' -f2) with nodes ${nodes[*]}"
make_slides 40 || exit 1
images=$(wc -l < slides/list.lst)
"$program" synth --out tissue --images 8 --size 128 --seed 9 > /dev/null || exit 1
"$program" train tissue --out model --base 4 --iterations 40 --validate-every 20 --crop 64 --batch 2 --quiet > /dev/null || exit 1
options=(--model "$work/model/best.safetensors" --threshold 0.2 --tile 256 --device cpu --density)

export NUCDET=$program
job=$(sbatch --parsable --array=1-8 --cpus-per-task=1 --mem=0 --time=30 "$here/array.sh" slides/list.lst found "${options[@]}" --threads 1)
say "job $job: $images slides, 8 tasks"
wait_for 300 "the first slides" some_done 5 || exit 1

task_of() { squeue -h -t R -w "$1" -o %K | head -1; }
hung_task=$(task_of n3)
stopped_task=$(task_of n1)
say "n2 fails with its tasks ($(squeue -h -t R -w n2 -o %K | xargs)), n3 is cut off ($(squeue -h -t R -w n3 -o %K | xargs)), task $stopped_task on n1 gets SIGUSR1"
lost_tasks=$(squeue -h -t R -w n2 -o %K | xargs)
lose n2 tasks
lose n3
# The tasks of n3 hang for a while, each with a slide in work, and go on when others have taken their place.
hung=$(for pid in $(tasks_on n3); do [ "$(cat "/proc/$pid/comm")" != nucdet ] || echo "$pid"; done | xargs)
# shellcheck disable=SC2086
kill -STOP $hung
# scancel tries again as long as nodes do not answer, and would hit the second start of the task too.
timeout 2 scancel --signal=USR1 --batch "${job}_$stopped_task"
wait_for 300 "task $stopped_task being queued again" attempts "$stopped_task" 1
wait_for 400 "a second start of task $hung_task of n3" attempts "$hung_task" 1
wait_for 200 "it leaving the slide that the first start holds" grep -q "another run of nucdet works on it" "nucdet-${job}_$hung_task.log"
say "done so far: $(done_lines); the first start of task $hung_task (pid $hung) goes on beside its second"
# shellcheck disable=SC2086
kill -CONT $hung || fail "the tasks of n3 had ended: nothing ran twice"
wait_for 900 "the end of the array" queue_empty
for pid in $hung; do wait_for 200 "the tasks of the node that was cut off" test ! -e "/proc/$pid"; done
for task in $lost_tasks; do attempts "$task" 1 || fail "task $task of the lost node was not started again"; done
grep -h "was asked to stop" nucdet-*.log || fail "no task was put into the queue again"
say "left to another start of the same task: $(grep -h 'it is left to that one' nucdet-*.log | sort -u | wc -l) slides"
say "begun by one start of a task and gone on with by another: $(grep -h 'goes on after' nucdet-*.log | wc -l) slides"
grep -h 'goes on after' nucdet-*.log > /dev/null || fail "no slide went on from its journal"

merged=0
"$program" merge found/run --list slides/list.lst --out found || merged=$?
[ "$merged" = 0 ] || fail "merge ended with $merged"
[ "$(tail -n +2 found/summary.csv | wc -l)" = "$images" ] || fail "the summary has not every slide"
twice=$(cat found/run/*.jsonl | grep '"state":"done"' | grep -o '"name":"[^"]*"' | sort | uniq -d)
[ -z "$twice" ] || fail "done more than once: $twice"
say "$images slides, $(done_lines) done, none twice; $(ls found/run/*-1.jsonl | wc -l) tasks were started again"
"$program" detect slides/list.lst --out alone "${options[@]}" --threads 2 -q > /dev/null || fail "one undisturbed call"
for one in alone/*; do cmp -s "$one" "found/${one#alone/}" || fail "${one#alone/} is not that of one undisturbed call"; done
[ "$(cat alone/*.csv | wc -l)" -gt 4000 ] || fail "next to nothing was found"
say "$(ls alone | wc -l) files have the bytes of one undisturbed call"

# A job that is cancelled stays so.
rm -rf found
job=$(sbatch --parsable --array=1-2 --cpus-per-task=1 --mem=0 "$here/array.sh" slides/list.lst found "${options[@]}" --threads 1)
wait_for 200 "a job to cancel" some_done 1
scancel "$job"
wait_for 60 "the cancelled job to leave" queue_empty
"$program" merge found/run --list slides/list.lst --out found > /dev/null 2> missing.txt
[ $? = 3 ] && grep -q missing missing.txt || fail "merge does not say what a cancelled job has left"

if [ -n "$snakemake" ]; then
  # Within a job Snakemake clears SLURM_*, and this Slurm's configuration does not lie where srun looks for one.
  mkdir -p bin
  printf '#!/bin/sh\nSLURM_CONF=%s exec %s "$@"\n' "$SLURM_CONF" "$(command -v srun)" > bin/srun
  chmod +x bin/srun
  PATH=$work/bin:$PATH
  by_snakemake jobs --executor slurm --slurm-status-command squeue --slurm-no-account --slurm-init-seconds-before-status-checks 5 \
    --default-resources slurm_partition=main mem_mb=500 runtime=20
  by_snakemake local --cores 2
else
  say "SKIPPED: no snakemake"
fi
[ $failed = 0 ] && say "passed"
exit $failed
