#!/usr/bin/env bash
# Many more of the faults that the test `faults` tries a hundred of, with the program of build/dev or another one.
# usage: faults.sh [COUNT [SEED [PROGRAM]]]
set -euo pipefail
cd "$(dirname "$0")/.."
exec tests/faults/run_faults.sh "${3:-build/dev/tools/nucdet/nucdet}" "${1:-2000}" "${2:-$RANDOM}"
