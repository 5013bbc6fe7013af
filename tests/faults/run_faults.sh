#!/usr/bin/env bash
# Faults on purpose: every command that writes runs again and again, and each time one call of the system fails, the
# disk is full from some moment on, memory is short, or the process is killed. Afterwards every file is whole: the old
# one, or the one of an undisturbed run; a fault ends in an exit code and a message; a run without faults succeeds then.
# usage: run_faults.sh PROGRAM COUNT [SEED [CASE]]      CASE: this one alone, keeping its folder
set -uo pipefail
nucdet=$(realpath "$1")
count=$2
seed=${3:-$((RANDOM * 32768 + RANDOM))}
only=${4:-}
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
[ -n "$only" ] || trap 'rm -rf "$work"' EXIT
in=$work/in
preload=$work/failing_calls.so
${CC:-cc} -shared -fPIC -O1 -o "$preload" "$here/failing_calls.c" || { echo "SKIPPED: no C compiler for failing_calls.c"; exit 77; }
if [ "$(ASAN_OPTIONS=help=1 "$nucdet" --version 2>&1 | grep -c AddressSanitizer)" != 0 ]; then echo "SKIPPED: a sanitizer and LD_PRELOAD do not go together"; exit 77; fi
export OMP_NUM_THREADS=1

small=(--base 4 --validate-every 2 --crop 48 --batch 2 --threads 1 --schedule constant --quiet)
# What each command runs, in a folder of its own that holds what `begin_NAME` puts there.
commands=(synth train resume detect detect evaluate overlay augment summary bench study convert manifest)
run_synth() { "$nucdet" synth --out out --images 4 --size 64 --seed 3; }
run_train() { "$nucdet" train ../in/data --out out --iterations 2 --snapshot-every 2 "${small[@]}" "$@"; }
run_resume() { "$nucdet" train ../in/data --out out --iterations 4 --resume "${small[@]}"; }
begin_resume() { cp -r ../in/half out; }
run_detect() {
  "$nucdet" detect ../in/data/images --model ../in/half/best.safetensors --out out --threshold 0.02 --overlay --geojson --overwrite "${more_results[@]}" --threads 1 --quiet
}
begin_detect() { cp -r ../in/found out; }
run_evaluate() {
  "$nucdet" evaluate ../in/data --split "" --model ../in/half/best.safetensors --out out --overlays --overwrite --threads 1 --quiet
}
begin_evaluate() { cp -r ../in/scores out; }
image=../in/data/images/dense_000.png
run_overlay() { "$nucdet" overlay "$image" --truth ../in/data/annotations/dense_000.csv --out out/o.png; }
begin_overlay() { mkdir -p out && cp ../in/sheet.png out/o.png; }
run_augment() { "$nucdet" augment "$image" --out out/s.png --draws 4 --columns 2 --crop 48 --seed 2; }
begin_augment() { mkdir -p out && cp ../in/sheet.png out/s.png; }
run_summary() { "$nucdet" summary --base 4 --dot out/n.dot; }
begin_summary() { mkdir -p out && cp ../in/n.dot out/n.dot; }
run_bench() {
  "$nucdet" bench --base 4 --height 32 --width 32 --crop 32 --batch 1 --seconds 0.001 --device cpu --threads 1 --json out/b.json
}
begin_bench() { mkdir -p out && cp ../in/b.json out/b.json; }
run_export() { "$nucdet" export ../in/half/best.safetensors --out out/n.onnx; }
begin_export() { mkdir -p out && cp ../in/n.onnx out/n.onnx; }
run_study() {
  "$nucdet" study cross --data ../in/data --organs dense,medium --out out --budget cpu --iterations 1 --base 4 --threads 1 --quiet
}
run_convert() { "$nucdet" convert ../in/data/annotations/dense_000.csv out/p.geojson --overwrite; }
begin_convert() { mkdir -p out && cp ../in/notes.txt out/p.geojson; }
run_manifest() { "$nucdet" manifest ../in/data/images ../in/data/annotations --out out/m.csv --split 50,25,25 --overwrite; }
begin_manifest() { mkdir -p out && cp ../in/notes.txt out/m.csv; }
# Those that only some builds have.
more_results=()
options=$("$nucdet" detect --help)
for option in --store --density; do
  if grep -q -- "$option" <<< "$options"; then more_results+=("$option"); fi
done
mkdir -p "$in"
if "$nucdet" export --out "$in/n.onnx" > /dev/null 2>&1; then commands+=(export); fi
begin() { mkdir -p "$2" && cd "$2" && if declare -F "begin_$1" > /dev/null; then "begin_$1"; fi; }
# A run after a fault: a training is resumed, as its user would.
again() { case $1 in train) run_train --resume ;; *) "run_$1" ;; esac; }

prepare() {
  mkdir -p "$in" && cd "$in" || exit 1
  echo "notes" > notes.txt
  "$nucdet" synth --out data --images 12 --size 64 --seed 5 &&
    "$nucdet" train data --out half --iterations 2 "${small[@]}" && cd "$in" &&
    "$nucdet" detect data/images --model half/best.safetensors --out found --threshold 0.3 --overlay --geojson --threads 1 --quiet &&
    "$nucdet" evaluate data --split "" --model half/best.safetensors --threshold 0.5 --out scores --overlays --threads 1 --quiet &&
    "$nucdet" augment data/images/dense_000.png --out sheet.png --draws 1 --columns 1 --crop 48 &&
    "$nucdet" summary --base 8 --dot n.dot && mkdir -p out && run_bench && mv out/b.json . && rmdir out
}

# The files of an undisturbed run, and how many calls it made.
reference() {
  local name
  for name in $(printf '%s\n' "${commands[@]}" | sort -u); do
    begin "$name" "$work/ref-$name" || return 1
    cp -r out "$work/old-$name" 2> /dev/null || mkdir "$work/old-$name"
    FAULT_COUNT=$work/calls-$name LD_PRELOAD=$preload "run_$name" || { echo "FAILED: $name does not run undisturbed"; return 1; }
  done
}

# Times are in these: they are whole if they begin and end as they should.
timed() { case $1 in *.json) [ "$(head -c 1 "$1")" = "[" ] && [ "$(tail -c 2 "$1")" = "]" ] ;; *) false ;; esac; }

# whole NAME FOLDER WHERE: every file is the old one or that of the undisturbed run
whole() {
  local name=$1 file path
  while IFS= read -r file; do
    path=$2/$file
    cmp -s "$path" "$work/old-$name/$file" || cmp -s "$path" "$work/ref-$name/out/$file" && continue
    case $name.$file in
      bench.*.json | study.*training.json) timed "$path" && continue ;;
      study.*report.md) grep -q "has not come to its end" "$path" && continue ;;
      study.*/last.safetensors | study.*failure.txt | study.*/seconds.txt) continue ;; # gone at the end
      detect.*.json | evaluate.scores.json)  # the new one says what it replaces until that is done
        cmp -s <(sed -E 's/ was [0-9a-f]{16}//' "$path") "$work/ref-$name/out/$file" && continue ;;
      *.nucdet.lock) [ ! -s "$path" ] && continue ;;
      synth..nucdet-synth-unfinished) continue ;;
      *.part) [ "$3" = killed ] && continue ;;
    esac
    echo "  $3: $file is neither the old file nor the new one"
  done < <(cd "$2" 2> /dev/null && find . -type f -printf '%P\n')
}
# The same files, and no others.
complete() {
  local name=$1 file
  [ -z "$(diff <(cd "$2" && find . -type f | sort) <(cd "$work/ref-$name/out" && find . -type f | sort))" ] || {
    echo "  after a run without faults the files are others:"
    diff <(cd "$2" && find . -type f | sort) <(cd "$work/ref-$name/out" && find . -type f | sort) | head -5
  }
  while IFS= read -r file; do
    cmp -s "$2/$file" "$work/ref-$name/out/$file" || { case $name.$file in bench.*.json | study.*training.json) timed "$2/$file" ;; *) false ;; esac; } ||
      echo "  after a run without faults $file is another file"
  done < <(cd "$work/ref-$name/out" && find . -type f -printf '%P\n')
}

one_case() {
  local number=$1 name kind calls at code problems folder
  RANDOM=$(((seed + number * 7919) % 32768))
  RANDOM=$(((RANDOM + number) % 32768))
  name=${commands[RANDOM % ${#commands[@]}]}
  kind=$(printf '%s\n' fail fail full short kill kill memory | sed -n "$((RANDOM % 7 + 1))p")
  calls=$(cat "$work/calls-$name")
  at=$(((RANDOM * 32768 + RANDOM) % calls + 1))
  folder=$work/case-$number
  begin "$name" "$folder" || return 1
  (
    if [ "$kind" = memory ]; then
      ulimit -v $((loaded + at * 54000 / calls)) # kB: from too few to do anything with to enough
    else
      export LD_PRELOAD=$preload FAULT_AT=$at FAULT_KIND=$kind FAULT_ERRNO=$((RANDOM % 2 ? 5 : 28)) FAULT_FIRED=$folder/fired
    fi
    "run_$name" > "$folder/said" 2>&1
  ) 2> /dev/null
  code=$?
  problems=$(
    case $kind.$code in
      kill.137) whole "$name" "$folder/out" killed ;;
      *)
        whole "$name" "$folder/out" failed
        if [ "$code" = 0 ]; then complete "$name" "$folder/out"; fi ;;
    esac
    case $kind.$code in
      *.0 | kill.137 | memory.[1-5] | memory.127) ;;
      fail.[34] | full.[34]) grep -q '^nucdet: ' "$folder/said" || echo "  ended with $code and no message" ;;
      *) echo "  ended with $code" ;;
    esac
    rm -f "$folder/fired"
    [ "$name.$code" = synth.0 ] && exit # there is nothing to do again
    if ! again "$name" > "$folder/again" 2>&1; then
      echo "  a run without faults does not succeed afterwards:"; head -3 "$folder/again"
    else
      complete "$name" "$folder/out"
    fi
  )
  if [ -n "$problems" ]; then
    echo "FAILED $name, $kind at call $at of $calls, exit code $code (again: run_faults.sh PROGRAM $count $seed $number)"
    echo "$problems"
    head -3 "$folder/said"
  else
    echo "ok $kind $code"
    [ -n "$only" ] || rm -rf "$folder"
  fi
}

# A disk that is really full, where one may be mounted.
full_disk() {
  local disk=$work/disk name=detect code
  mkdir -p "$disk"
  if ! mount -t tmpfs -o size=48k nucdet-faults "$disk" 2> /dev/null; then echo "SKIPPED: a full disk (no tmpfs may be mounted)"; return; fi
  cd "$work/ref-detect" || return
  "$nucdet" detect ../in/data/images --model ../in/half/best.safetensors --out "$disk/out" --threshold 0.02 --overlay --geojson "${more_results[@]}" --threads 1 --quiet > "$work/said" 2>&1
  code=$?
  problems=$(whole detect "$disk/out" "on a full disk")
  umount "$disk" || umount -l "$disk"
  case $code in 3 | 4) ;; *) problems+="a full disk ends with $code" ;; esac
  grep -qi "no space" "$work/said" || problems+="a full disk is not named"
  if [ -n "$problems" ]; then echo "FAILED: $problems"; fi
}

prepare > "$work/prepared" 2>&1 || { echo "FAILED: what the cases are made of"; tail -5 "$work/prepared"; exit 1; }
reference > "$work/referred" 2>&1 || { tail -5 "$work/referred"; exit 1; }
loaded=10000  # kB of addresses that the program needs to be loaded at all, before it can tell anything
until bash -c 'ulimit -v "$1" && "$2" --version; exit $?' - "$loaded" "$nucdet" > /dev/null 2>&1; do loaded=$((loaded + 2000)); done
loaded=$((loaded + 2000))
echo "seed $seed, $count cases"
if [ -n "$only" ]; then one_case "$only"; echo "its folder: $work/case-$only"; exit; fi
full_disk > "$work/results-disk"
workers=$(nproc)
for worker in $(seq 1 "$workers"); do
  (for ((k = worker; k <= count; k += workers)); do one_case "$k"; done) > "$work/results-$worker" &
done
wait
cat "$work"/results-* | grep -v '^ok '
cat "$work"/results-* | grep '^ok ' | sort | uniq -c | sed 's/ok //; s/^ */  /; s/$/ (times, fault, exit code)/'
! grep -q FAILED "$work"/results-*
