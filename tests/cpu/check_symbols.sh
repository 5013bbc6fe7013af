#!/usr/bin/env bash
# Every file of src/cpu that is compiled for one instruction set may define, for the linker to see, only names of its own
# namespace: of two inline functions of one name the linker keeps one, and a program would run AVX-512 on a machine that
# has none. What sanitizers add is data.    usage: check_symbols.sh OBJECT...
set -euo pipefail
status=0 checked=0
for object in "$@"; do
  name=$(basename "$object")
  [[ $name =~ ^isa_([a-z0-9]+)\. ]] || continue
  checked=$((checked + 1))
  foreign=$(nm --demangle --defined-only --extern-only "$object" |
    grep -vE "nucdet::cpu::${BASH_REMATCH[1]}::| D nucdet::cpu::k[A-Z]|__odr_asan|DW.ref| V typeinfo " || true)
  if [ -n "$foreign" ]; then
    echo "$name defines:"
    echo "$foreign"
    status=1
  fi
done
[ "$checked" -gt 0 ] || { echo "no object of src/cpu/isa_*.cpp among the arguments"; exit 1; }
exit $status
