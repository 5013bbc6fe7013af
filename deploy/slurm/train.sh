#!/usr/bin/env bash
#SBATCH --job-name=nucdet-train
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=16
#SBATCH --mem=16G
#SBATCH --time=08:00:00
#SBATCH --signal=TERM@300
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=nucdet-train-%j.log
# One training by all tasks of a job, a rank each.
# usage: sbatch train.sh DATA OUT [OPTIONS OF nucdet train]      --batch is of all ranks together, and as many images for each
#
# The data and OUT lie where all nodes see them. Before the time is up Slurm tells all ranks (--signal), which end after a
# step with a checkpoint (130); the job goes into the queue again and on from there. A rank or node that is lost ends the
# others: the job goes into the queue again if there is a checkpoint that it has not begun with, so that what fails again
# and again ends. `sbatch` with the same words goes on, too.
# The program is `nucdet`, or what NUCDET says; NUCDET_MPI: how srun starts MPI (pmix). NUCDET_REQUEUE=no: not again.
set -uo pipefail
[ $# -ge 2 ] || { sed -n '/^# usage/p' "$0" >&2; exit 2; }
data=$1
out=$2
shift 2
read -ra nucdet <<< "${NUCDET:-nucdet}"
# Slurm signals the steps; this script is to outlive them.
trap '' TERM
checkpoint() { stat -c '%i %Y' "$out/last.safetensors" 2> /dev/null; }
begun=$(checkpoint)
code=0
srun --mpi="${NUCDET_MPI:-pmix}" --kill-on-bad-exit=1 --wait=0 "${nucdet[@]}" train "$data" --out "$out" --resume "$@" || code=$?
if [ "$code" != 0 ] && [ "$(checkpoint)" != "$begun" ] && [ "${NUCDET_REQUEUE:-yes}" = yes ] &&
  scontrol show job -o "$SLURM_JOB_ID" 2> /dev/null | grep 'JobState=RUNNING' > /dev/null; then
  echo "ended with $code after a checkpoint: the job is put into the queue again and goes on there"
  scontrol requeue "$SLURM_JOB_ID" && sleep 120 # Slurm ends this script then
fi
exit "$code"
