#!/usr/bin/env bash
# How commands end: exit codes, an output that is full or closed, mistakes on the command line and in its file, JSON.
# usage: test_endings.sh NUCDET
set -uo pipefail
nucdet=$1
source "$(dirname "$0")/check.sh"
fail() { echo "FAILED $*"; failed=1; }

check "synth" 0 "manifest.csv" "$nucdet" synth --out "$work/data" --images 4 --size 64
image=$(ls "$work"/data/images/*.png | head -1)

# The standard output.
for command in --version --help "doctor" "summary --base 4" "summary --base 4 --json" "detect --help"; do
  check "$command, disk full" 4 "the standard output cannot be written" sh -c "'$nucdet' $command > /dev/full"
  check "$command, closed" 4 "the standard output cannot be written" sh -c "'$nucdet' $command >&-"
done
check "synth, disk full" 4 "cannot be written" sh -c "'$nucdet' synth --out '$work/full' --images 4 --size 64 > /dev/full"
check "a limit of file sizes" 4 "cannot be written: File too large" sh -c "ulimit -f 1; '$nucdet' synth --out '$work/limited' --images 4 --size 256"
check "a failure stays what it is" 2 "unknown option" sh -c "'$nucdet' doctor --nonsense > /dev/full"
check "nothing to print" 2 "did you mean" sh -c "'$nucdet' detct >&-"
check "no stderr" 2 "" sh -c "'$nucdet' detct 2>&-"
"$nucdet" synth --out "$work/closed" --images 4 --size 64 --json >&- 2> /dev/null
[ $? = 4 ] && ! grep -rlq '"nuclei"' "$work/closed" || fail "a closed output is no file of the command's"
"$nucdet" summary --base 4 | head -1 > /dev/null
case ${PIPESTATUS[0]} in 0 | 4 | 141) ;; *) fail "a closed pipe: exit code ${PIPESTATUS[0]}" ;; esac

# Misspelt words.
check "a misspelt command" 2 "unknown command 'detct', did you mean 'detect'\?" "$nucdet" detct "$image"
check "a misspelt option" 2 "unknown option '--treshold' of nucdet detect, did you mean '--threshold'\?" "$nucdet" detect "$image" --treshold 0.3
check "the beginning of an option" 2 "did you mean '--threshold'" "$nucdet" detect "$image" --out x --thr=0.3
check "an option far from all" 2 "unknown option '--nonsense' of nucdet detect$" "$nucdet" detect "$image" --out x --nonsense
check "an argument too many" 2 "'more' is one argument more" "$nucdet" overlay a.png more --out x
check "an escape in a word" 2 "unknown command '.x1b.31m'" "$nucdet" $'\e[31m'

# Ranges.
check "scale 0" 2 "^nucdet: --scale: '0', wanted a number from 0.015625 to 64$" "$nucdet" detect "$image" --out x --scale 0
check "batch 0" 2 "^nucdet: --batch: '0', wanted a whole number from 1 to 1024$" "$nucdet" bench --batch 0
for value in 100000000000000000000 -1 1e2 0x10 010 " 4" 4.5 99999999999999999999999999999999999999999999999999999; do
  check "batch '$value'" 2 "wanted a whole number from 1 to 1024" "$nucdet" bench "--batch=$value"
done
for value in nan inf -inf 1e999 -0.1 0,3 x; do
  check "threshold '$value'" 2 "wanted a number of at least 0" "$nucdet" detect "$image" --out x "--threshold=$value"
done
check "threads" 2 "wanted a whole number from 0 to 1024" "$nucdet" detect "$image" --out x --threads 5000
check "threads of the environment" 2 "wanted a whole number from 0 to 1024" env NUCDET_THREADS=-3 "$nucdet" detect "$image" --out x
check "a seed" 2 "wanted a whole number from 0 to 18446744073709551615" "$nucdet" synth --out x --seed -1
check "a seed too large" 2 "wanted a whole number from 0" "$nucdet" synth --out x --seed 18446744073709551616
check "a number of iterations" 2 "wanted a whole number from 1 to" "$nucdet" train "$work/data" --out x --iterations 100000000000000000000

# The file of --config.
config() { printf "$1" > "$work/options.toml"; shift; check "$@"; }
config '[summary]\nbase = 4\nnet = "micronet"\n[detect]\nthreshold = 0.4\n' "options from a file" 0 "parameters" "$nucdet" --config "$work/options.toml" summary --json
[ "$("$nucdet" --config "$work/options.toml" summary)" = "$("$nucdet" summary --net micronet --base 4)" ] || fail "not the file's network"
[ "$("$nucdet" --config "$work/options.toml" summary --base 8 | tail -2)" = "$("$nucdet" summary --net micronet --base 8 | tail -2)" ] || fail "the command line does not go first"
config '[detect]\ntreshold = 0.4\n' "an unknown key" 2 "options.toml: unknown key 'treshold' in section \[detect\], did you mean 'threshold'" "$nucdet" --config "$work/options.toml" detect "$image" --out x
config '[detct]\nthreshold = 0.4\n' "an unknown section" 2 "options.toml: section 'detct' is no command, did you mean 'detect'" "$nucdet" --config "$work/options.toml" doctor
config 'threshold = 0.4\n' "a key outside of a section" 2 "options.toml: unknown key 'threshold' outside of a section" "$nucdet" --config "$work/options.toml" doctor
config '[detect]\nthreshold = much\n' "a value that is no number" 2 "'much', wanted a number.*options.toml" "$nucdet" --config "$work/options.toml" detect "$image" --out x
config '[detect\nthreshold = 0.4\n' "a damaged section" 2 "options.toml: unknown key" "$nucdet" --config "$work/options.toml" doctor
check "a picture as a file of options" 2 "$(basename "$image"): is no text" "$nucdet" --config "$image" doctor
check "no file" 2 "nowhere.toml" "$nucdet" --config "$work/nowhere.toml" doctor
head -c 2000000 /dev/zero | tr '\0' '#' > "$work/long.toml"
check "a file too long" 2 "larger than 1 MiB" "$nucdet" --config "$work/long.toml" doctor

# Results as JSON.
json() {
  local what=$1 expression=$2
  shift 2
  "$@" 2> /dev/null | python3 -c "import json, sys; r = json.load(sys.stdin); assert $expression, r" || fail "$what as JSON"
}
if command -v python3 > /dev/null; then
  json "doctor" "r['threads'] >= 1 and r['device_auto']" "$nucdet" doctor --json
  json "summary" "r['parameters'] > 1000 and r['layers'][0]['step']" "$nucdet" summary --base 4 --json
  json "synth" "r['images'] == 4 and r['nuclei'] > 0" "$nucdet" synth --out "$work/json" --images 4 --size 64 --json
  json "augment" "r['draws'] == 2" "$nucdet" augment "$image" --out "$work/sheet.png" --draws 2 --crop 32 --json
  points=$work/data/annotations/$(basename "$image" .png).csv
  json "overlay" "r['marks'] >= 0" "$nucdet" overlay "$image" --truth "$points" --out "$work/o.png" --json
  bench=(bench --base 4 --height 32 --width 32 --crop 16 --batch 1 --seconds 0.001 --device cpu)
  json "bench" "r[0]['what'] == 'matrix product'" "$nucdet" "${bench[@]}" --json
  json "bench to -" "len(r) == 4" "$nucdet" "${bench[@]}" --json -
  json "train" "r['iteration'] == 2 and 'f1' in r and r['steps'] == 2 and r['step_seconds'] > 0" "$nucdet" train "$work/data" --out "$work/run" --base 4 --iterations 2 --validate-every 2 --crop 32 --batch 1 --json --quiet
fi

# Threads.
if command -v taskset > /dev/null; then
  check "the affinity mask" 0 "threads: +1 \(1 of" taskset -c "$(taskset -cp $$ | sed 's/.*: *//; s/[-,].*//')" "$nucdet" doctor
fi
check "a job of Slurm's" 0 "threads: +1 .*SLURM_CPUS_PER_TASK is 1" env SLURM_CPUS_PER_TASK=1 "$nucdet" doctor

# Weights that claim more than there is; a damaged log.
python3 - "$work" << 'PYTHON' || true
import json, struct, sys
header = json.dumps({"__metadata__": {"network": "micronet-lite", "base": "4", "normalization": "image"},
                     "x": {"dtype": "F32", "shape": [1 << 40], "data_offsets": [0, 1 << 42]}}).encode()
with open(sys.argv[1] + "/sparse.safetensors", "wb") as f:
    f.write(struct.pack("<Q", len(header)) + header)
    f.truncate(8 + len(header) + (1 << 42))
PYTHON
# A sanitizer needs more addresses than that to begin with.
sanitized=$(ASAN_OPTIONS=help=1 "$nucdet" --version 2>&1 | grep -c AddressSanitizer)
if [ -s "$work/sparse.safetensors" ] && [ "$sanitized" = 0 ]; then
  check "weights of 4 TB, mostly a hole" 4 "sparse.safetensors: " sh -c "ulimit -v 2000000; '$nucdet' summary --model '$work/sparse.safetensors'"
fi
train=("$nucdet" train "$work/data" --out "$work/log" --base 4 --validate-every 2 --crop 32 --batch 1 --quiet)
check "a run" 0 "" "${train[@]}" --iterations 2
sed -i '2s/^\([^,]*\),[^,]*/\1,abc/' "$work/log/log.csv"
check "a damaged log" 4 "log.csv: row 2, column 2 is 'abc', wanted a number" "${train[@]}" --iterations 2 --resume

# Options from a file.
printf '\xef\xbb\xbf[summary]\nbase=4\n' > "$work/bom.toml"
check "a file with a byte order mark" 0 "parameters" "$nucdet" --config "$work/bom.toml" summary
printf '[detect]\nout="somewhere\n' > "$work/quote.toml"
check "a quote that is not closed" 2 "line 2: the quote is not closed" "$nucdet" --config "$work/quote.toml" detect "$image"

# Signals: SIGTERM and SIGUSR1 let the image in work be finished.
check "weights" 0 "" "$nucdet" train "$work/data" --out "$work/weights" --base 4 --iterations 2 --validate-every 2 --crop 32 --batch 1 --quiet
mkdir "$work/many"
for i in $(seq 200); do cp "$image" "$work/many/$i.png"; done
for signal in TERM USR1; do
  rm -rf "$work/found"
  "$nucdet" detect "$work/many" --model "$work/weights/best.safetensors" --out "$work/found" --quiet --threads 1 > "$work/list" 2> "$work/said" &
  detecting=$!
  until [ -n "$(find "$work/found" -name '*.csv' 2> /dev/null | head -1)" ] || ! kill -0 $detecting 2> /dev/null; do :; done
  kill -$signal $detecting
  wait $detecting
  code=$?
  done=$(find "$work/found" -name '*.csv' | wc -l)
  [ $code = 6 ] && grep -q "stopped on request after [0-9]* of 200 images" "$work/said" || fail "SIG$signal: exit code $code, $(cat "$work/said")"
  [ "$done" -gt 0 ] && [ "$done" -lt 200 ] && [ "$(wc -l < "$work/list")" = "$done" ] || fail "SIG$signal: $done results, $(wc -l < "$work/list") told"
done
# SIGINT lets nothing be finished but a file half written.
rm -rf "$work/found"
(trap - INT; exec "$nucdet" detect "$work/many" --model "$work/weights/best.safetensors" --out "$work/found" --quiet --threads 1) > "$work/list" 2> "$work/said" &
detecting=$!
until [ -n "$(find "$work/found" -name '*.csv' 2> /dev/null | head -1)" ] || ! kill -0 $detecting 2> /dev/null; do :; done
kill -INT $detecting
wait $detecting
code=$?
done=$(find "$work/found" -name '*.csv' | wc -l)
[ $code = 130 ] && [ "$done" -lt 200 ] && [ -z "$(find "$work/found" -name '*.part')" ] || fail "SIGINT: exit code $code, $done results, $(cat "$work/said")"

# The manual page and the completions.
"$nucdet" man > "$work/nucdet.1" || fail "man"
grep -q -- '\\-\\-threshold, \\-\\-floor' "$work/nucdet.1" || fail "the manual page has no --threshold"
if command -v groff > /dev/null; then
  [ -z "$(groff -man -Tutf8 -ww "$work/nucdet.1" 2>&1 > "$work/page")" ] || fail "the manual page: $(groff -man -Tutf8 -ww "$work/nucdet.1" 2>&1 > /dev/null | head -3)"
fi
"$nucdet" completion bash > "$work/completion.bash" || fail "completion"
bash -n "$work/completion.bash" || fail "the completion for bash"
complete_words() { bash -c 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _nucdet; echo "${COMPREPLY[@]}"' - "$work/completion.bash" "$@"; }
[ "$(complete_words nucdet detect --thr)" = "--threshold --threads" ] || fail "completion of --thr: $(complete_words nucdet detect --thr)"
[ "$(complete_words nucdet det)" = "detect" ] || fail "completion of a command"
[ "$(complete_words nucdet detect --precision f)" = "fp32 fp16" ] || fail "completion of a value: $(complete_words nucdet detect --precision f)"
[ -z "$(complete_words nucdet detect pic)" ] || fail "completion of a file"
"$nucdet" completion zsh > "$work/_nucdet"  # not piped into grep, which stops reading
grep -q "^#compdef nucdet" "$work/_nucdet" || fail "the completion for zsh"
"$nucdet" completion fish > "$work/nucdet.fish"
grep -q -- "-l threshold" "$work/nucdet.fish" || fail "the completion for fish"
for shell in zsh fish; do
  if command -v $shell > /dev/null; then "$nucdet" completion $shell > "$work/c" && $shell -n "$work/c" || fail "$shell -n"; fi
done
check "a shell that is none" 2 "shell" "$nucdet" completion tcsh
exit $failed
