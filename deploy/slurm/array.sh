#!/usr/bin/env bash
#SBATCH --job-name=nucdet
#SBATCH --cpus-per-task=8
#SBATCH --mem=8G
#SBATCH --time=08:00:00
#SBATCH --signal=B:USR1@600
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=nucdet-%A_%a.log
# One task of a cohort: the images of its shard that have no results yet.
# usage: sbatch --array=1-N array.sh LIST OUT [OPTIONS OF nucdet detect]
#
# The program is `nucdet`, or what NUCDET says ("apptainer exec nucdet.sif nucdet"). To run single tasks again:
# NUCDET_SHARDS=N sbatch --array=3,7 ... with the N of before. NUCDET_REQUEUE=no leaves requeueing to others.
set -uo pipefail
# Slurm tells this script (--signal=B:), which tells the program: it finishes the image in work and ends with 6. A second
# signal stops it at once (130), and one before it has begun ends it as signals do.
program=
asked=
tell() {
  asked=yes
  [ -z "$program" ] || kill -USR1 "$program" 2> /dev/null
}
trap tell USR1 TERM
stopped() { case $1 in 6 | 130 | 138 | 143) return 0 ;; *) return 1 ;; esac; }
[ $# -ge 2 ] || { sed -n '/^# usage/p' "$0" >&2; exit 2; }
list=$1
out=$2
shift 2
read -ra nucdet <<< "${NUCDET:-nucdet}"
mkdir -p "$out/run" || exit 4

shard=()
[ -z "${NUCDET_SHARDS:-}" ] || shard=(--shard "${SLURM_ARRAY_TASK_ID:?}/$NUCDET_SHARDS")
# A report of its own for each attempt: where files go over a network, two machines do not append to one safely.
attempt=${SLURM_ARRAY_JOB_ID:-local}_${SLURM_ARRAY_TASK_ID:-$HOSTNAME-$$}-${SLURM_RESTART_COUNT:-0}
report=$out/run/$attempt.jsonl

"${nucdet[@]}" detect "$list" --out "$out" --skip-existing --report "$report" "${shard[@]}" "$@" &
program=$!
[ -z "$asked" ] || tell
code=0
wait "$program" || code=$?
while [ "$code" -gt 128 ] && kill -0 "$program" 2> /dev/null; do # a signal ended the waiting, not the program
  code=0
  wait "$program" || code=$?
done

if [ -n "$asked" ] && stopped "$code"; then
  # Not a job that somebody cancels: it has ended for Slurm, which still would run it again.
  if [ -n "${SLURM_ARRAY_JOB_ID:-}" ] && [ "${NUCDET_REQUEUE:-yes}" = yes ] &&
    scontrol show job -o "$SLURM_JOB_ID" 2> /dev/null | grep 'JobState=RUNNING' > /dev/null; then
    echo "task $SLURM_ARRAY_TASK_ID was asked to stop: it is put into the queue again and goes on where it stood"
    program=
    # Slurm ends this script then. Were it to end by itself, Slurm might take the task in the queue for a finished one.
    scontrol requeue "$SLURM_JOB_ID" && sleep 120
  fi
fi
exit "$code"
