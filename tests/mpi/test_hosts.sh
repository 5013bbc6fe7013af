#!/usr/bin/env bash
# A training by two ranks on two hosts with a slow line between them: the bytes of one on one host; a cable that is pulled
# ends all ranks, with one message, and the run goes on to the same bytes when it is plugged in again.
# usage: test_hosts.sh NUCDET MPIEXEC      77: no such hosts can be made here (root, iproute2, /dev/net/tun, Open MPI)
set -uo pipefail
nucdet=$(realpath "$1") mpiexec=$2
here=$(cd "$(dirname "$0")" && pwd)
source "$here/launch.sh"
"$mpiexec" --version 2> /dev/null | grep -qi "open-\?mpi\|Open MPI\|OpenRTE" || skip "$mpiexec is not Open MPI's, which is started on the hosts here"
name=nd$$h
hosts=("$here/hosts.py" --name $name)
"${hosts[@]}" true || { [ $? = 77 ] && exit 77; fail "the hosts"; exit 1; }
check "two hosts" 0 "^${name}2\$" "${hosts[@]}" "$mpiexec" --host ${name}1,${name}2 hostname

"$nucdet" synth --out tissue --images 6 --size 96 --seed 7 > /dev/null
train=("$nucdet" train tissue --base 4 --crop 48 --batch 4 --validate-every 4 --device cpu --threads 1 --iterations 24 --resume)
among=("$mpiexec" --host ${name}1,${name}2 --bind-to none)
same() { for file in best.safetensors last.safetensors log.csv; do cmp "whole/$file" "$1/$file" || fail "$file of $2"; done; }

check "on one host" 0 "" "$mpiexec" -n 2 "${train[@]}" --quiet --out whole
check "on two, 2 ms apart by 50 Mbit/s" 0 "" "${hosts[@]}" --rate 50 --delay 2 --count carried.json "${among[@]}" "${train[@]}" --quiet --out slow
same slow "a slow line"
python3 - carried.json << 'PYTHON' || fail "the ranks' numbers did not go over the line"
import json, sys
sent = json.load(open(sys.argv[1]))["bytes"]
assert min(sent) > 24 * 40000, sent  # more than half of the gradients of 24 steps
PYTHON

# The cable is pulled in the middle; who is still there when mpirun has ended is looked for on the other host.
# shellcheck disable=SC2016
"${hosts[@]}" --delay 2 sh -c '"$@"; code=$?; ip netns pids '$name'2 | xargs -r ps -o args= -p > left; exit $code' sh \
  "${among[@]}" "${train[@]}" --rank-patience 3 --quiet --out cut > said 2>&1 &
job=$!
for _ in $(seq 1200); do
  [ ! -s cut/last.safetensors ] || break
  sleep 0.1
done
ip -n ${name}2 link set net0 down || fail "the cable could not be pulled"
begin=$SECONDS
wait $job
code=$?
[ $code = 1 ] || { fail "the exit code of a cable that is pulled: $code"; cat said; }
[ $((SECONDS - begin)) -lt 150 ] || fail "it took $((SECONDS - begin)) s to end"
[ "$(grep -c '^nucdet: ' said)" = 1 ] || { fail "wanted one message"; cat said; }
grep -q "^nucdet: rank 0 waited .* s for the others.*; --resume goes on from .*last.safetensors" said || { fail "the message"; cat said; }
if grep -q "$nucdet train" left; then fail "a rank is still there: $(cat left)"; fi
cmp -s whole/last.safetensors cut/last.safetensors && fail "the cable was pulled too late"
check "plugged in again" 0 "" "${hosts[@]}" --delay 2 "${among[@]}" "${train[@]}" --quiet --out cut
same cut "a run whose cable was pulled"
exit $failed
