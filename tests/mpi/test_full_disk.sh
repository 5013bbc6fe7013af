#!/usr/bin/env bash
# A disk that is full when the first rank writes its second checkpoint: one message, all ranks end with its exit code, the
# first checkpoint is whole, and with more room the run goes on to the bytes of one that had room.
# usage: test_full_disk.sh NUCDET MPIEXEC      77: no file system can be mounted here, or mpiexec starts nothing
set -uo pipefail
nucdet=$(realpath "$1") mpiexec=$2
source "$(dirname "$0")/launch.sh"
starts_two "$mpiexec"
mkdir small
mount -t tmpfs -o size=64k tmpfs small 2> /dev/null || skip "no file system can be mounted here: that takes root"
trap 'umount small; rm -rf "$work"' EXIT

"$nucdet" synth --out tissue --images 6 --size 96 --seed 7 > /dev/null
train=("$mpiexec" -n 2 "$nucdet" train tissue --base 4 --crop 48 --batch 4 --validate-every 4 --device cpu --threads 1 --iterations 16 --resume --quiet)
check "with room" 0 "" "${train[@]}" --out whole
# Room for the first checkpoint and what is beside it, and for half of the next, which is to take its place.
bytes() { stat -c %s "$@" | awk '{sum += int(($1 + 4095) / 4096) * 4096} END {print sum}'; }
checkpoint=$(bytes whole/last.safetensors)
room=$(($(bytes whole/*) + checkpoint / 2))
mount -o "remount,size=$room" small || { fail "the file system keeps its size"; exit 1; }

full() {
  "${train[@]}" --out small/run > said 2>&1
  local code=$?
  [ $code = 4 ] || { fail "$1: exit code $code, wanted 4"; cat said; }
  [ "$(grep -c '^nucdet: ' said)" = 1 ] || { fail "$1: wanted one message"; cat said; }
  grep -q "^nucdet: .*small/run/last.safetensors: cannot be written: No space left on device" said || { fail "$1: the message"; cat said; }
}
full "a full disk"
[ "$(pgrep -fc -- "$nucdet train.*--out small/run")" = 0 ] || fail "a rank is still there"
cp small/run/last.safetensors first.safetensors
full "resumed on a full disk"
cmp first.safetensors small/run/last.safetensors || fail "the first checkpoint was touched"
mount -o "remount,size=64m" small
check "with room again" 0 "" "${train[@]}" --out small/run
for file in best.safetensors last.safetensors log.csv; do cmp "whole/$file" "small/run/$file" || fail "$file after a full disk"; done
exit $failed
