#!/usr/bin/env bash
# Runs array.sh on a real Slurm: three nodes on this one machine, 40 images in 8 tasks. Half-way one node is lost with its
# tasks, of another one only the daemon (its tasks go on, and are started a second time elsewhere), one task is asked to
# stop. In the end every image was done exactly once.
# usage: test.sh NUCDET     KEEP=1: the folder stays
# Needs root and Debian's slurmctld, slurmd, slurm-client and munge; without them it is skipped (77). Takes 2 to 4 minutes.
set -uo pipefail
program=$(realpath "${1:?usage: test.sh NUCDET}")
here=$(cd "$(dirname "$0")" && pwd)
for needed in slurmctld slurmd sbatch munged; do
  command -v $needed > /dev/null || PATH=$PATH:/usr/sbin command -v $needed > /dev/null || { echo "SKIPPED: no $needed"; exit 77; }
done
[ "$(id -u)" = 0 ] || { echo "SKIPPED: needs root"; exit 77; }
PATH=$PATH:/usr/sbin
work=$(mktemp -d)
export SLURM_CONF=$work/slurm.conf
cluster=nucdettest$$
nodes=(n1 n2 n3)
failed=0
fail() { echo "FAILED: $*"; failed=1; }
say() { echo "$(date +%H:%M:%S) $*"; }

# Processes of this cluster's jobs on a node, by what Slurm has put into their environment.
tasks_on() {
  local environment pid
  for environment in /proc/[0-9]*/environ; do
    pid=${environment#/proc/}
    if grep -qzx "SLURM_CLUSTER_NAME=$cluster" "$environment" 2> /dev/null &&
      grep -qzx "SLURMD_NODENAME=$1" "$environment" 2> /dev/null; then
      echo "${pid%/environ}"
    fi
  done
}
parent_of() { awk '/^PPid/ {print $2}' "/proc/$1/status" 2> /dev/null; }
# The daemon of a node, and with "tasks" all that it had started, as if the power had failed.
lose() {
  local pid parent
  kill -9 "$(< "$work/$1.pid")"
  [ "${2:-}" = tasks ] || return 0
  for pid in $(tasks_on "$1"); do
    parent=$(parent_of "$pid")
    [ "$(cat "/proc/${parent:-0}/comm" 2> /dev/null)" != slurmstepd ] || kill -9 "$parent" 2> /dev/null
    kill -9 "$pid" 2> /dev/null
  done
}
clean() {
  scancel --quiet --user=root 2> /dev/null
  sleep 1
  for node in "${nodes[@]}"; do for pid in $(tasks_on "$node"); do kill -9 "$pid" 2> /dev/null; done; done
  for pidfile in "$work"/*.pid; do [ ! -s "$pidfile" ] || kill "$(< "$pidfile")" 2> /dev/null; done
  [ ! -e "$work/own-munge" ] || kill "$(< /run/munge/munged.pid)" 2> /dev/null
  [ -n "${KEEP:-}" ] && echo "kept: $work" || rm -rf "$work"
}
trap clean EXIT

start_slurm() {
  local host port=7830 node
  host=$(hostname -s)
  mkdir -p "$work/state"
  cat > "$SLURM_CONF" << CONF
ClusterName=$cluster
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=7829
SlurmUser=root
AuthType=auth/munge
AuthInfo=cred_expire=10
StateSaveLocation=$work/state
SlurmctldPidFile=$work/slurmctld.pid
SlurmctldLogFile=$work/slurmctld.log
SlurmdSpoolDir=$work/spool-%n
SlurmdPidFile=$work/%n.pid
SlurmdLogFile=$work/%n.log
SlurmdParameters=config_overrides
SlurmdTimeout=10
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=batch_sched_delay=1,sched_interval=2
MpiDefault=none
JobRequeue=1
CONF
  for node in "${nodes[@]}"; do
    port=$((port + 1))
    echo "NodeName=$node NodeHostname=$host NodeAddr=127.0.0.1 Port=$port CPUs=2 RealMemory=4000" >> "$SLURM_CONF"
    mkdir -p "$work/spool-$node"
  done
  echo "PartitionName=all Nodes=ALL Default=YES State=UP" >> "$SLURM_CONF"
  if [ ! -s /etc/munge/munge.key ]; then
    head -c 1024 /dev/urandom > /etc/munge/munge.key
    chown munge: /etc/munge/munge.key
    chmod 400 /etc/munge/munge.key
  fi
  if ! munge -n > /dev/null 2>&1; then
    mkdir -p /run/munge
    chown munge: /run/munge
    runuser -u munge -- munged --pid-file=/run/munge/munged.pid
    touch "$work/own-munge"
  fi
  slurmctld
  sleep 1
  for node in "${nodes[@]}"; do slurmd -N "$node"; done
  for _ in $(seq 60); do
    [ "$(sinfo -h -t idle -o %D | head -1)" = 3 ] && return
    sleep 0.5
  done
  sinfo
  tail -5 "$work"/*.log
  return 1
}
# wait_for SECONDS WHAT COMMAND...
wait_for() {
  local end=$((SECONDS + $1)) what=$2
  shift 2
  until "$@"; do
    [ $SECONDS -lt $end ] || { fail "waited too long for $what"; squeue; sinfo; return 1; }
    sleep 0.5
  done
}
done_lines() { cat found/run/*.jsonl 2> /dev/null | grep -c '"state":"done"'; }
some_done() { [ "$(done_lines)" -ge "$1" ]; }
attempts() { [ "$(ls found/run/*"_$1-$2.jsonl" 2> /dev/null | wc -l)" -ge 1 ]; }
queue_empty() { [ -z "$(squeue -h)" ]; }

start_slurm || exit 1
cd "$work" || exit 1
say "Slurm $(sinfo --version | cut -d' ' -f2) with nodes ${nodes[*]}"
"$program" synth --out tissue --images 40 --size 384 --seed 9 > /dev/null || exit 1
(cd tissue && ls images/*.png) > tissue/list.lst
images=$(wc -l < tissue/list.lst)

export NUCDET=$program
job=$(sbatch --parsable --array=1-8 --cpus-per-task=1 --mem=0 --time=30 "$here/array.sh" tissue/list.lst found --average 8 --threads 1 --device cpu --mpp 0.25 --density)
say "job $job: $images images, 8 tasks"
wait_for 120 "the first images" some_done 5 || exit 1

task_of() { squeue -h -t R -w "$1" -o %K | head -1; }
hung_task=$(task_of n3)
stopped_task=$(task_of n1)
say "n2 fails with its tasks ($(squeue -h -t R -w n2 -o %K | xargs)), n3 is cut off ($(squeue -h -t R -w n3 -o %K | xargs)), task $stopped_task on n1 gets SIGUSR1"
lost_tasks=$(squeue -h -t R -w n2 -o %K | xargs)
lose n2 tasks
lose n3
# The tasks of n3 hang for a while, each with an image in work, and go on when others have taken their place.
hung=$(for pid in $(tasks_on n3); do [ "$(cat "/proc/$pid/comm")" != nucdet ] || echo "$pid"; done | xargs)
# shellcheck disable=SC2086
kill -STOP $hung
# scancel tries again as long as nodes do not answer, and would hit the second start of the task too.
timeout 2 scancel --signal=USR1 --batch "${job}_$stopped_task"
wait_for 60 "task $stopped_task being queued again" attempts "$stopped_task" 1
wait_for 180 "a second start of task $hung_task of n3" attempts "$hung_task" 1
wait_for 60 "it leaving the image that the first start holds" grep -q "another run of nucdet works on it" "nucdet-${job}_$hung_task.log"
say "done so far: $(done_lines); the first start of task $hung_task (pid $hung) goes on beside its second"
# shellcheck disable=SC2086
kill -CONT $hung || fail "the tasks of n3 had ended: nothing ran twice"
wait_for 400 "the end of the array" queue_empty
for pid in $hung; do wait_for 60 "the tasks of the node that was cut off" test ! -e "/proc/$pid"; done
for task in $lost_tasks; do attempts "$task" 1 || fail "task $task of the lost node was not started again"; done
grep -h "was asked to stop" nucdet-*.log || fail "no task was put into the queue again"
say "left to another start of the same task: $(grep -h 'it is left to that one' nucdet-*.log | sort -u | wc -l) images"

merged=0
"$program" merge found/run --list tissue/list.lst --out found || merged=$?
[ "$merged" = 0 ] || fail "merge ended with $merged"
[ "$(tail -n +2 found/summary.csv | wc -l)" = "$images" ] || fail "the summary has not every image"
twice=$(cat found/run/*.jsonl | grep '"state":"done"' | grep -o '"name":"[^"]*"' | sort | uniq -d)
[ -z "$twice" ] || fail "done more than once: $twice"
say "$images images, $(done_lines) done, none twice; $(ls found/run/*-1.jsonl | wc -l) tasks were started again"
"$program" detect tissue/list.lst --out alone --average 8 --threads 2 --device cpu --mpp 0.25 --density -q > /dev/null
for one in alone/*; do cmp -s "$one" "found/${one#alone/}" || fail "${one#alone/} is not that of one undisturbed call"; done

# A job that is cancelled stays so.
rm -rf found
job=$(sbatch --parsable --array=1-2 --cpus-per-task=1 --mem=0 "$here/array.sh" tissue/list.lst found --average 8 --threads 1 --device cpu --mpp 0.25)
wait_for 60 "a job to cancel" some_done 1
scancel "$job"
wait_for 60 "the cancelled job to leave" queue_empty
"$program" merge found/run --list tissue/list.lst --out found > /dev/null 2> missing.txt
[ $? = 3 ] && grep -q missing missing.txt || fail "merge does not say what a cancelled job has left"
[ $failed = 0 ] && say "passed"
exit $failed
