# shellcheck shell=bash disable=SC1091,SC2034,SC2154
# What tests of ranks share: a folder, checks (tests/tools/check.sh), and how mpiexec is called here. To be sourced.
source "$(dirname "${BASH_SOURCE[0]}")/../tools/check.sh"
cd "$work" || exit 1
fail() { echo "FAILED: $*"; failed=1; }
skip() { echo "SKIPPED: $*"; exit 77; }
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
export OMPI_MCA_btl_base_warn_component_unused=0
# Open MPI's own leaks (PMIx, hwloc: some are found at each exit) would fail a build with sanitizers.
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0"
unset "${!SLURM_@}"
starts_two() { "$1" -n 2 true > /dev/null 2>&1 || skip "$1 starts no two processes here"; }  # starts_two MPIEXEC
