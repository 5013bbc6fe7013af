# A Slurm of several nodes on this one machine, for tests. To be sourced, with the names of the nodes in `nodes`; it ends the
# test with 77 where it cannot be started, and takes all away at the end of the script.
for needed in slurmctld slurmd sbatch munged; do
  command -v $needed > /dev/null || PATH=$PATH:/usr/sbin command -v $needed > /dev/null || { echo "SKIPPED: no $needed"; exit 77; }
done
[ "$(id -u)" = 0 ] || { echo "SKIPPED: needs root"; exit 77; }
PATH=$PATH:/usr/sbin
work=$(mktemp -d)
export SLURM_CONF=$work/slurm.conf
cluster=nucdettest$$
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
  if [ -n "${KEEP:-}" ]; then
    echo "kept: $work"
    return
  fi
  for _ in $(seq 25); do rm -rf "$work" 2> /dev/null && return; sleep 0.2; done  # the controller writes its state as it ends
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
TmpFS=$work/tmp-%n
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
    mkdir -p "$work/spool-$node" "$work/tmp-$node"
  done
  echo "PartitionName=main Nodes=ALL Default=YES State=UP" >> "$SLURM_CONF"
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
    [ "$(sinfo -h -t idle -o %D | head -1)" = ${#nodes[@]} ] && return
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
queue_empty() { [ -z "$(squeue -h)" ]; }
