#!/usr/bin/env bash
# No command writes onto a user's file: every command, all that it can write, onto all that it reads and onto files that
# others made. Each is refused before any work, and the bytes stay.
# usage: test_files.sh NUCDET
set -uo pipefail
nucdet=$1
source "$(dirname "$0")/check.sh"
cd "$work" || exit 1

"$nucdet" synth --out data --images 12 --size 64 --seed 3 > /dev/null
small=(--base 4 --iterations 2 --validate-every 1 --crop 48 --batch 2 --quiet)
"$nucdet" train data --out run "${small[@]}" > /dev/null
image=data/images/dense_000.png
points=data/annotations/dense_000.csv
weights=run/best.safetensors
"$nucdet" evaluate data --model $weights --out scores --quiet > /dev/null
"$nucdet" augment $image --out sheet.png --draws 1 --columns 1 --crop 48 > /dev/null
echo "my notes" > notes.txt
cp $image photo.png

# refused WHAT FILE COMMAND...: exit code 2 or 4, a message that names the file (or t/other, a link to it), and the file's
# bytes as they were
refused() {
  local what=$1 file=$2 before out got
  shift 2
  before=$(cat "$file" | cksum)
  out=$("$@" 2>&1)
  got=$?
  if [ "$got" != 2 ] && [ "$got" != 4 ]; then echo "FAILED $what: exit code $got, wanted to be refused: $(head -2 <<< "$out")"; failed=1; fi
  [ "$(cat "$file" | cksum)" = "$before" ] || { echo "FAILED $what: $file was changed"; failed=1; }
  grep -qF -e "$(basename "$file")" -e t/other. <<< "$out" || { echo "FAILED $what: $(basename "$file") is not named in: $(head -2 <<< "$out")"; failed=1; }
}
fresh() { rm -rf t && mkdir t && cp $image t/a.png && cp $points t/a.csv && cp $weights t/w.safetensors; }
# foreign SUFFIX WHAT COMMAND...: the command, with @ for the output, onto files that are none of its own, and links to them
foreign() {
  local suffix=$1 what=$2 made
  shift 2
  for made in notes.txt photo.png $points $weights scores/scores.json scores/organs.csv scores/curve.svg sheet.png data/manifest.csv run/log.csv; do
    case $what.$made in overlay.sheet.png | augment.sheet.png) continue ;; esac # replaced by its like
    fresh
    cp $made "t/x$suffix"
    refused "$what onto $made" "t/x$suffix" "${@/@/t/x$suffix}"
    ln -s "x$suffix" "t/y$suffix"
    out=$("${@/@/t/y$suffix}" 2>&1) && { echo "FAILED $what onto a link to $made: not refused"; failed=1; }
    cmp -s $made "t/x$suffix" && [ -L "t/y$suffix" ] || { echo "FAILED $what onto a link to $made: changed"; failed=1; }
  done
  fresh
  mkdir "t/x$suffix"
  out=$("${@/@/t/x$suffix}" 2>&1) && { echo "FAILED $what onto a folder: not refused"; failed=1; }
}
# onto_input INPUT WHAT COMMAND...: the command onto what it reads, by its name and by others
onto_input() {
  local input=$1 what=$2 name
  shift 2
  fresh
  refused "$what onto its input $input" "t/$input" "${@/@/t/$input}"
  refused "$what onto its input, written otherwise" "t/$input" "${@/@/t/../t/./$input}"
  for name in "ln -s $input" "ln"; do
    fresh
    case $name in ln) ln "t/$input" "t/other.${input##*.}" ;; *) $name "t/other.${input##*.}" ;; esac
    refused "$what onto its input by $name" "t/$input" "${@/@/t/other.${input##*.}}"
  done
}

onto_input a.png overlay "$nucdet" overlay t/a.png --truth t/a.csv --out @
onto_input a.csv overlay "$nucdet" overlay t/a.png --truth t/a.csv --out @
onto_input a.csv "overlay of detections" "$nucdet" overlay t/a.png --detections t/a.csv --out @
onto_input a.png augment "$nucdet" augment t/a.png --out @ --draws 1 --crop 48
onto_input a.csv augment "$nucdet" augment t/a.png --points t/a.csv --out @ --draws 1 --crop 48
onto_input w.safetensors summary "$nucdet" summary --model t/w.safetensors --dot @
onto_input w.safetensors bench "$nucdet" bench --model t/w.safetensors --device cpu --seconds 0.001 --height 32 --width 32 --crop 32 --json @
onto_input a.png bench "$nucdet" bench --base 4 --image t/a.png --device cpu --seconds 0.001 --crop 32 --json @
foreign .png overlay "$nucdet" overlay $image --truth $points --out @
foreign .png augment "$nucdet" augment $image --out @ --draws 1 --crop 48
foreign .dot summary "$nucdet" summary --base 4 --dot @
foreign .json bench "$nucdet" bench --base 4 --device cpu --seconds 0.001 --height 32 --width 32 --crop 32 --json @

# What nucdet made is replaced by its like.
check "an overlay again" 0 "sheet.png" "$nucdet" overlay $image --truth $points --out sheet.png
check "a sheet over an overlay" 0 "sheet.png" "$nucdet" augment $image --out sheet.png --draws 1 --columns 1 --crop 48
check "a graph" 0 "parameters" "$nucdet" summary --base 4 --dot n.dot
check "a graph again" 0 "parameters" "$nucdet" summary --base 4 --dot n.dot
check "a graph to a pipe" 0 "digraph" sh -c "'$nucdet' summary --base 4 --dot /dev/stdout | cat"

if "$nucdet" export $weights --out n.onnx > told.txt 2>&1; then
  check "a network again" 0 "operators" "$nucdet" export $weights --out n.onnx
  onto_input w.safetensors export "$nucdet" export t/w.safetensors --out @
  foreign .onnx export "$nucdet" export $weights --out @
else
  grep -q libonnx-dev told.txt || { echo "FAILED: an export says $(cat told.txt)"; failed=1; }
fi

# Folders of runs.
for name in best.safetensors last.safetensors log.csv loss.svg f1.svg snapshot-5.safetensors; do
  for resume in "" --resume; do
    rm -rf mine && mkdir mine && cp notes.txt mine/$name
    refused "train${resume:+ }$resume onto $name" mine/$name "$nucdet" train data --out mine "${small[@]}" $resume
    [ "$(ls mine)" = $name ] || { echo "FAILED train onto $name: the folder holds $(ls mine)"; failed=1; }
  done
  [ -e "run/$name" ] || continue
  rm -rf mine && mkdir mine && cp run/$name mine/
  refused "train onto another run's $name" mine/$name "$nucdet" train data --out mine "${small[@]}"
done
rm -rf mine && mkdir mine && cp run/best.safetensors mine/
refused "train --resume onto another run's weights" mine/best.safetensors "$nucdet" train data --out mine "${small[@]}" --seed 9 --resume
refused "train onto its start" mine/best.safetensors "$nucdet" train data --out mine --initial mine/best.safetensors "${small[@]}"
rm -rf mine && cp -r data mine && cp run/best.safetensors mine/loss.svg
refused "train onto its manifest's folder, where a file is" mine/loss.svg "$nucdet" train mine --out mine "${small[@]}"
refused "train into a file" notes.txt "$nucdet" train data --out notes.txt "${small[@]}"
refused "a study into a file" notes.txt "$nucdet" study cross --data data --out notes.txt --iterations 1 --base 4 --quiet
rm -rf mine && mkdir -p mine/cross && cp notes.txt mine/cross/report.md
refused "a study onto a report" mine/cross/report.md "$nucdet" study cross --data data --out mine --budget cpu --iterations 1 --base 4 --quiet
rm -rf mine && mkdir -p mine/cross && cp notes.txt mine/cross/notes.csv
check "a study into a folder of somebody's" 2 "mine/cross has files in it" "$nucdet" study cross --data data --out mine --budget cpu --iterations 1 --base 4 --quiet
for name in manifest.csv images/dense_000.png annotations/medium_001.csv; do
  rm -rf mine && mkdir -p mine/images mine/annotations && cp notes.txt mine/$name
  refused "synth onto $name" mine/$name "$nucdet" synth --out mine --images 4 --size 64
done
refused "synth into a file" notes.txt "$nucdet" synth --out notes.txt --images 4 --size 64

# A folder is worked in by one at a time.
if command -v flock > /dev/null; then
  for what in run studies; do
    mkdir -p "$what"
    exec 9> "$what/.nucdet.lock"
    flock 9
    case $what in
      run) check "train in a folder that is worked in" 4 "another run of nucdet works in this folder" "$nucdet" train data --out run "${small[@]}" --resume ;;
      studies) check "a study in a folder that is worked in" 4 "another run of nucdet works in this folder" "$nucdet" study cross --data data --out studies --iterations 1 --base 4 --quiet ;;
    esac
    exec 9>&-
  done
  check "train in a folder that is free again" 0 "validation F1" "$nucdet" train data --out run "${small[@]}" --resume
  [ ! -e run/.nucdet.lock ] || { echo "FAILED: a lock is left"; failed=1; }
fi

# A run that goes on has the data and the sums that it had.
long=(--base 4 --validate-every 1 --crop 48 --batch 2 --schedule constant --quiet)
begin() { rm -rf part && cp -r data moved && "$nucdet" train moved --out part --iterations 1 "${long[@]}" > /dev/null; }
go_on() { "$nucdet" train moved --out part --iterations 2 "${long[@]}" --resume "$@"; }
begin
check "resume with other sums" 2 "train.kernels is .* now '.*plain sums'" go_on --exact
check "resume with other kernels" 2 "train.kernels is .* now 'portable" go_on --kernels portable --exact
kept=$(cat part/last.safetensors part/best.safetensors | cksum)
mv moved/annotations/dense_000.csv spare.csv
awk -F, 'NR == 2 {print $1 + 1 "," $2; next} {print}' spare.csv > moved/annotations/dense_000.csv
check "resume with a point moved" 2 "data.train are others than they were \(dense_000.png\)" go_on
cp spare.csv moved/annotations/dense_000.csv
validation=$(awk -F, '$4 == "val" {print $1; exit}' moved/manifest.csv)
cp moved/$validation spare.png && cp moved/images/dense_000.png moved/$validation
check "resume with another image" 2 "data.validation are others than they were \($(basename $validation)\)" go_on
cp spare.png moved/$validation
[ "$(cat part/last.safetensors part/best.safetensors | cksum)" = "$kept" ] || { echo "FAILED: a refused run changed weights"; failed=1; }
check "resume with all as it was" 0 "validation F1" go_on
grep -q '"data.hash.train":"[0-9a-f]*"' part/best.safetensors || { echo "FAILED: no hash of the data with the weights"; failed=1; }
grep -q '"data.images' part/best.safetensors && { echo "FAILED: the list of images is kept with the weights"; failed=1; }

# Where files are written: modes, links, names.
chmod 600 n.dot && "$nucdet" summary --base 4 --dot n.dot > /dev/null
[ "$(stat -c %a n.dot)" = 600 ] || { echo "FAILED: mode 600 became $(stat -c %a n.dot)"; failed=1; }
chmod 444 n.dot
check "onto a write-protected file" 4 "n.dot: is write-protected" "$nucdet" summary --base 4 --dot n.dot
ln -s made.dot link.dot
check "onto a link to nothing" 0 "parameters" "$nucdet" summary --base 4 --dot link.dot
[ -L link.dot ] && [ -s made.dot ] || { echo "FAILED: a dangling link is not followed"; failed=1; }
ln -s nowhere/made.dot astray.dot
check "onto a link to a folder that is not there" 4 "astray.dot: is a link to nowhere/made.dot" "$nucdet" summary --base 4 --dot astray.dot
long_name=$(printf 'n%.0s' $(seq 1 251)).dot
check "a name of 255 bytes" 0 "parameters" "$nucdet" summary --base 4 --dot "$long_name"
[ -s "$long_name" ] || { echo "FAILED: no file of a long name"; failed=1; }
touch .nucdet-0123456789abcdef.part
check "beside what a killed process left" 0 "parameters" "$nucdet" summary --base 4 --dot p.dot
[ ! -e .nucdet-0123456789abcdef.part ] || { echo "FAILED: a stale part is left"; failed=1; }

# detect and evaluate.
detect=("$nucdet" detect --model $weights --threshold 0.02 --quiet)
all=(--overlay --geojson)
for ending in csv json geojson overlay.png; do
  for overwrite in "" --overwrite; do
    fresh
    case $ending in overlay.png) cp photo.png t/a.$ending ;; *) cp notes.txt t/a.$ending ;; esac
    [ $ending = csv ] || rm t/a.csv
    refused "detect${overwrite:+ }$overwrite onto a.$ending" t/a.$ending "${detect[@]}" t/a.png --out t "${all[@]}" $overwrite
    [ "$(ls t | grep -c '^a\.')" = 2 ] || { echo "FAILED detect onto a.$ending: wrote $(ls t)"; failed=1; }
  done
done
fresh
refused "detect onto the points beside" t/a.csv "${detect[@]}" t/a.png --out t
fresh && cp $image t/a.overlay.png && rm t/a.csv
refused "detect onto another image" t/a.overlay.png "${detect[@]}" t/a.png t/a.overlay.png --out t --overlay --overwrite
fresh && rm t/a.csv && cp $weights t/a.json
refused "detect onto the weights" t/a.json "$nucdet" detect t/a.png --model t/a.json --out t --quiet --overwrite
refused "detect into a file" notes.txt "${detect[@]}" $image --out notes.txt
fresh && rm t/a.csv t/w.safetensors
check "detect in the folder of the images" 0 "a.csv" "${detect[@]}" t --out t "${all[@]}"
first=$(cat t/* | cksum)
check "detect there again" 0 "a.csv" "${detect[@]}" t --out t "${all[@]}"
[ "$(cat t/* | cksum)" = "$first" ] || { echo "FAILED: own results became inputs: $(ls t)"; failed=1; }
for ending in csv json geojson; do
  cp t/a.$ending kept && sed -i '2s/[0-9]/7/; 3s/[0-9]/8/' t/a.$ending && cmp -s kept t/a.$ending && echo "?" >> t/a.$ending
  refused "detect onto a worked on a.$ending" t/a.$ending "${detect[@]}" t/a.png --out t "${all[@]}"
  check "the same with --overwrite" 0 "a.csv" "${detect[@]}" t/a.png --out t "${all[@]}" --overwrite
done
evaluate=("$nucdet" evaluate --split "" --model $weights --quiet)
for name in scores.json organs.csv images.csv curve.csv curve.svg threshold.svg; do
  rm -rf t && mkdir t && cp notes.txt t/$name
  refused "evaluate onto $name" t/$name "${evaluate[@]}" data --out t
  [ "$(ls t)" = $name ] || { echo "FAILED evaluate onto $name: wrote $(ls t)"; failed=1; }
done
rm -rf t && cp -r data t && cp t/manifest.csv t/images.csv
refused "evaluate onto its manifest" t/images.csv "${evaluate[@]}" t/images.csv --out t
rm -rf t && cp -r data t && mv t/images t/overlays && sed -i 's/^images/overlays/' t/manifest.csv
refused "evaluate onto its images" t/overlays/dense_000.png "${evaluate[@]}" t --out t --overlays
rm -rf t && mkdir t && cp $image t/organs.png && cp $points t/organs.csv
refused "evaluate onto its points" t/organs.csv "${evaluate[@]}" t --out t
refused "evaluate onto predictions" t/organs.csv "$nucdet" evaluate t --split "" --predictions t --out t --quiet
refused "evaluate into a file" notes.txt "${evaluate[@]}" data --out notes.txt
check "evaluate" 0 "pooled" "${evaluate[@]}" data --out scored --overlays
check "evaluate again" 0 "pooled" "${evaluate[@]}" data --out scored --overlays
exit $failed
