#!/usr/bin/env bash
# Ranks that agree, are late, hang and fail.
# usage: test_ranks.sh TEST_MPI_RANKS MPIEXEC      77: mpiexec starts nothing here
set -uo pipefail
ranks=$(realpath "$1") mpiexec=$2
source "$(dirname "$0")/launch.sh"
starts_two "$mpiexec"

for n in 2 3 4; do check "$n ranks" 0 "^$n ranks agree" "$mpiexec" -n $n "$ranks"; done
for bucket in 7 1000000; do
  check "buckets of $bucket" 0 "^3 ranks agree" "$mpiexec" -n 3 "$ranks" $bucket
done
for how in hang:7 hang-halfway:7 hang-at-end:1; do
  begin=$SECONDS
  check "a rank that does not come: $how" "${how#*:}" "one of them hangs or has ended" "$mpiexec" -n 2 "$ranks" "${how%:*}"
  [ $((SECONDS - begin)) -lt 40 ] || fail "it took $((SECONDS - begin)) s to notice"  # it comes after 60
done
check "a rank that is late again" 7 "^noticed in time" "$mpiexec" -n 2 "$ranks" uneven
check "a mean that was abandoned" 7 "^refused" "$mpiexec" -n 2 "$ranks" abandoned
exit $failed
