#!/usr/bin/env bash
# libnucdet.so shows the functions of nucdet.h, each under a version that is not newer than the library's, and nothing else; its
# soname stays.
# usage: check_symbols.sh LIBNUCDET HEADER
set -euo pipefail
library=$1 header=$2
wrong() { echo "$*"; exit 1; }
shown=$(nm --dynamic --defined-only --with-symbol-versions "$library" | awk '$2 != "A" {print $3}' | sort)
declared=$(grep -oE '^NUCDET_API .*' "$header" | grep -oE '\bnucdet_[a-z_]+\(' | tr -d '(' | sort)
[ "$(wc -l <<< "$declared")" -ge 20 ] || wrong "the header declares only: $declared"
versionless=$(grep -vE '@@NUCDET_[0-9]+\.[0-9]+$' <<< "$shown" || true)
[ -z "$versionless" ] || wrong "without a version: $(head -5 <<< "$versionless")"
own=$(readlink -f "$library")
own=NUCDET_$(cut -d. -f1,2 <<< "${own#*.so.}")
newest=$(sed 's/.*@@//' <<< "$shown" | sort -Vu | tail -1)
[ "$(printf '%s\n' "$newest" "$own" | sort -V | tail -1)" = "$own" ] || wrong "symbols of $newest in a library of $own"
difference=$(diff <(sed 's/@@.*//' <<< "$shown") <(echo "$declared")) || wrong "shown (<) and declared (>): $difference"
dynamic=$(readelf --dynamic --wide "$library")
[[ $dynamic == *"soname: [libnucdet.so.0]"* ]] || wrong "the soname is not libnucdet.so.0"
printf '#include "nucdet.h"\n' | "${CC:-cc}" -std=c99 -pedantic-errors -Wall -Wextra -Werror -fsyntax-only \
  -I"$(dirname "$header")" -xc -
