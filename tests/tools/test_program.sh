#!/usr/bin/env bash
# The program from the outside: every subcommand, its files, its exit codes and its messages.
# usage: test_program.sh NUCDET
set -uo pipefail
nucdet=$1
source "$(dirname "$0")/check.sh"

check "version" 0 "nucdet [0-9]+\.[0-9]+" "$nucdet" --version
check "help" 0 "Examples" "$nucdet" train --help
check "no command" 2 "subcommand" "$nucdet"
check "unknown option" 2 "nonsense" "$nucdet" detect a.png --model b --out c --nonsense
check "summary" 0 "11724705 parameters" "$nucdet" summary --net micronet --base 32 --height 512 --width 512
check "a network as a graph" 0 "digraph network" "$nucdet" summary --base 4 --dot -
check "a graph in a file" 0 "parameters" "$nucdet" summary --network unet --base 8 --maps 2 --norm none --dot "$work/unet.dot"
has unet.dot
check "a graph that cannot be written" 4 "cannot be created" "$nucdet" summary --base 4 --dot "$work/nowhere/x.dot"
check "unknown network" 2 "no network 'micronet-lite base 7" "$nucdet" summary --base 7

check "synth" 0 "manifest.csv" "$nucdet" synth --out "$work/data" --images 8 --size 96 --seed 3
check "synth twice" 2 "manifest.csv" "$nucdet" synth --out "$work/data" --images 8 --size 96
check "train" 0 "validation F1" "$nucdet" train "$work/data/manifest.csv" --out "$work/run" --base 4 --iterations 6 --validate-every 3 --crop 48 --batch 2 --quiet
has run/best.safetensors run/last.safetensors run/log.csv run/loss.svg
check "train again" 2 "--resume" "$nucdet" train "$work/data/manifest.csv" --out "$work/run" --base 4
check "resume with other settings" 2 "train.crop is '48', now '64'" "$nucdet" train "$work/data/manifest.csv" --out "$work/run" --base 4 --iterations 6 --validate-every 3 --crop 64 --batch 2 --resume --quiet
check "resume without an option it had" 2 "train.frozen is 'in', now missing" sh -c "'$nucdet' train '$work/data/manifest.csv' --out '$work/frozen' --base 4 --iterations 2 --validate-every 1 --crop 48 --batch 2 --freeze in --quiet && '$nucdet' train '$work/data/manifest.csv' --out '$work/frozen' --base 4 --iterations 2 --validate-every 1 --crop 48 --batch 2 --resume --quiet"
check "train without data" 4 "nowhere" "$nucdet" train "$work/nowhere.csv" --out "$work/x" --base 4
check "train without that split" 4 "split 'none'" "$nucdet" train "$work/data/manifest.csv" --out "$work/x" --split none

check "export to a format that is none" 2 "onnx" "$nucdet" export "$work/run/best.safetensors" --format tflite --out "$work/n.onnx"
check "export of what is no model" 4 "manifest.csv" "$nucdet" export "$work/data/manifest.csv" --out "$work/n.onnx"
if "$nucdet" export "$work/run/last.safetensors" --input normalized --out "$work/n.onnx" > "$work/told.txt" 2>&1; then
  has n.onnx
  check "export" 0 '"outputs":' "$nucdet" export "$work/run/best.safetensors" --out "$work/n.onnx" --json
  check "export to a folder that is not there" 4 "cannot be created" "$nucdet" export "$work/run/best.safetensors" --out "$work/nowhere/n.onnx"
else
  check "a program without ONNX" 0 "libonnx-dev" cat "$work/told.txt"
fi

small=(--base 4 --iterations 4 --validate-every 2 --crop 48 --batch 2)
check "synth again" 0 "manifest.csv" "$nucdet" synth --out "$work/other" --images 8 --size 96 --seed 4
check "train on two sets" 0 "F1 0.* \(data 0.*, other 0" "$nucdet" train "$work/data" "$work/other" --weights 2,1 --out "$work/both" "${small[@]}"
grep -q '"data.weight.data":"2"' "$work/both/best.safetensors" || { echo "FAILED: no weight in the metadata"; failed=1; }
mkdir -p "$work/loose" && cp "$work"/data/images/*.png "$work"/data/annotations/*.csv "$work/loose"
check "weights of three sets for two" 2 "3 weights for 2 manifests" "$nucdet" train "$work/data" "$work/other" --weights 2,1,1 --out "$work/x" "${small[@]}"
check "a manifest given twice" 2 "is given twice" "$nucdet" train "$work/data" "$work/data/" --out "$work/x" "${small[@]}"
check "a weight of 0" 2 "leave that manifest out" "$nucdet" train "$work/data" "$work/other" --weights 1,0 --out "$work/x" "${small[@]}"
check "a validation split that is not there" 4 "no images of split 'nope'" "$nucdet" train "$work/data" --validation-split nope --out "$work/x" "${small[@]}"
check "an auxiliary set" 0 "validation F1" "$nucdet" train "$work/data" --auxiliary "$work/other" --gamma 2 --out "$work/auxiliary" "${small[@]}" --quiet
check "an auxiliary folder" 0 "validation F1" "$nucdet" train "$work/data" --auxiliary "$work/loose" --out "$work/auxiliary2" "${small[@]}" --quiet
check "a split of a folder, which has none" 4 "no images of split 'nosuch'" "$nucdet" train "$work/loose" --split nosuch --out "$work/x" "${small[@]}"
check "a folder and the manifest in it" 2 "is given twice" "$nucdet" train "$work/data" "$work/data/manifest.csv" --out "$work/x" "${small[@]}"
check "few nuclei choose no threshold" 0 "is not chosen by them, it stays the default, 0.3" "$nucdet" train "$work/data" --out "$work/kept" "${small[@]}"
grep -q '"peaks.threshold":"0.3' "$work/kept/best.safetensors" || { echo "FAILED: the threshold is not the default"; failed=1; }
check "start weights are validated" 0 "iteration 0 .*\(best\)" "$nucdet" train "$work/data" --initial "$work/run/best.safetensors" --preset finetune --out "$work/tuned" "${small[@]}"
check "the network of the start weights" 0 "micronet-lite base 4" "$nucdet" train "$work/data" --initial "$work/run/best.safetensors" --out "$work/taken" --iterations 2 --validate-every 1 --crop 48 --batch 2
cp -r "$work/run" "$work/lost" && rm "$work/lost/best.safetensors"
check "resume without the best weights" 4 "best.safetensors is missing" "$nucdet" train "$work/data/manifest.csv" --out "$work/lost" --base 4 --iterations 6 --validate-every 3 --crop 48 --batch 2 --resume --quiet
cut -d, -f1-3 "$work/data/manifest.csv" > "$work/data/unsplit.csv"
check "a manifest without a split" 0 "2 of 8 images are held out" "$nucdet" train "$work/data/unsplit.csv" --out "$work/held" "${small[@]}"
awk -F, 'NR == 1 {print $1 "," $2 ",patient"; next} {print $1 "," $2 "," (NR % 2 ? "ann" : "bob")}' "$work/data/manifest.csv" > "$work/data/patients.csv"
check "a patient is held out whole" 0 "4 of 8 images are held out" "$nucdet" train "$work/data/patients.csv" --out "$work/patients" "${small[@]}"
mkdir -p "$work/none/images"
for f in a b c; do cp "$work/data/images/$(ls "$work/data/images" | head -1)" "$work/none/images/$f.png"; echo x,y > "$work/none/images/$f.csv"; done
check "train without a nucleus" 4 "no nuclei in the 2 images to train on" "$nucdet" train "$work/none/images" --out "$work/x" "${small[@]}"
check "a strength out of range" 2 "'stain' is 1.5, must be in" "$nucdet" train "$work/data" --out "$work/x" --stain 1.5 "${small[@]}" --quiet
check "preset that is none" 2 "preset" "$nucdet" train "$work/data" --out "$work/x" --preset best
check "paper's preset" 0 "" "$nucdet" train "$work/data" --preset paper --out "$work/paper" "${small[@]}" --quiet
grep -q '"normalization":"image"' "$work/paper/best.safetensors" && grep -q '"optimizer":"sgd"' "$work/paper/best.safetensors" || { echo "FAILED: not the paper's protocol"; failed=1; }

image=$(ls "$work"/data/images/*.png | head -1)
check "augment" 0 "6 draws" "$nucdet" augment "$image" --out "$work/sheet.png" --draws 6 --columns 3 --crop 64
has sheet.png
cp "$image" "$work/mine.png"
check "augment onto its input" 2 "is the input" "$nucdet" augment "$work/mine.png" --out "$work/mine.png"
cmp "$image" "$work/mine.png" || failed=1
check "augment to a JPEG" 2 "in .png" "$nucdet" augment "$work/mine.png" --out "$work/sheet.jpg"
check "augment by an unknown strength" 2 "blur" "$nucdet" augment "$image" --out "$work/sheet2.png" --blur 9
name=$(basename "$image" .png)
check "detect" 0 "$name" "$nucdet" detect "$image" --model "$work/run/best.safetensors" --out "$work/found" --overlay --geojson --quiet
has "found/$name.csv" "found/$name.json" "found/$name.overlay.png" "found/$name.geojson"
check "detect from a checkpoint" 0 "$name" "$nucdet" detect "$image" --model "$work/run/last.safetensors" --out "$work/found2" --quiet
check "detect a manifest" 0 "csv" "$nucdet" detect "$work/data/manifest.csv" --split test --model "$work/run/best.safetensors" --out "$work/all" --quiet
check "detect again" 0 "$name" "$nucdet" detect "$image" --model "$work/run/best.safetensors" --out "$work/found" --quiet
cp -r "$work/data/annotations" "$work/precious"
check "detect over annotations" 2 "not a result of nucdet" "$nucdet" detect "$image" --model "$work/run/best.safetensors" --out "$work/precious" --quiet
cmp "$work/data/annotations/$name.csv" "$work/precious/$name.csv" || failed=1
check "threshold in percent" 2 "xi" "$nucdet" detect "$image" --model "$work/run/best.safetensors" --out "$work/found" --xi 35
check "threshold that is no number" 2 "nan" "$nucdet" evaluate "$work/data/manifest.csv" --model "$work/run/best.safetensors" --xi nan
check "folder that cannot be made" 4 "cannot be made" "$nucdet" detect "$image" --model "$work/run/best.safetensors" --out "$image/below" --quiet
head -c 300 "$image" > "$work/broken.png"
check "truncated image" 4 "broken.png" "$nucdet" detect "$work/broken.png" --model "$work/run/best.safetensors" --out "$work/found" --quiet
check "one image of two" 3 "broken.png" "$nucdet" detect "$work/broken.png" "$image" --model "$work/run/best.safetensors" --out "$work/found3" --quiet
has "found3/$name.csv"
head -c 1000 "$work/run/best.safetensors" > "$work/cut.safetensors"
check "truncated weights" 4 "cut.safetensors" "$nucdet" detect "$image" --model "$work/cut.safetensors" --out "$work/found" --quiet
check "a tile that strides do not fit" 2 "multiples of 16" "$nucdet" detect "$image" --model "$work/run/best.safetensors" --out "$work/found" --tile 100 --quiet
detect=("$nucdet" detect "$image" --model "$work/run/best.safetensors" --threshold 0.01 --quiet)
check "a threshold" 0 "$name" "${detect[@]}" --out "$work/whole" --exact
check "small tiles" 0 "$name" "${detect[@]}" --out "$work/tiled" --exact --tile 48
[ "$(wc -l < "$work/whole/$name.csv")" -gt 3 ] && cmp "$work/whole/$name.csv" "$work/tiled/$name.csv" || { echo "FAILED: tiles change the points"; failed=1; }
for found in '"tile": 48' '"threshold": 0.01' '"average": 1' '"full_scale": 5.0' '"rule": "fixed"' '"deviation": '; do
  grep -q "$found" "$work/tiled/$name.json" || { echo "FAILED: no $found in the results"; failed=1; }
done
check "the mean of eight looks" 0 "$name" "${detect[@]}" --out "$work/averaged" --average 8
grep -q '"average": 8' "$work/averaged/$name.json" && ! cmp -s "$work/whole/$name.csv" "$work/averaged/$name.csv" || { echo "FAILED: nothing averaged"; failed=1; }
check "the mean of three" 2 "average" "${detect[@]}" --out "$work/averaged" --average 3
sed 's/"peaks.radius":"5"/"peaks.radius":"0"/' "$work/run/best.safetensors" > "$work/radius.safetensors"
check "a radius out of range" 4 "radius.safetensors: metadata 'peaks.radius' is '0', wanted a whole number" "$nucdet" detect "$image" --model "$work/radius.safetensors" --out "$work/found" --quiet
sed 's/"normalization":"fixed"/"normalization":"mixed"/' "$work/run/best.safetensors" > "$work/rule.safetensors"
check "a normalisation that is none" 4 "rule.safetensors: metadata 'normalization' is 'mixed', wanted fixed, image or tissue" "$nucdet" detect "$image" --model "$work/rule.safetensors" --out "$work/found" --quiet
old="$(dirname "$0")/../golden/weights_0_1.safetensors"
check "weights of version 0.1" 0 "$name" "$nucdet" detect "$image" --model "$old" --out "$work/old" --quiet
for found in '"rule": "image"' '"threshold": 0.2' '"xi": 0.6' '"full_scale": 0.0'; do
  grep -q "$found" "$work/old/$name.json" || { echo "FAILED: no $found in the results of old weights"; failed=1; }
done

check "evaluate" 0 "pooled" "$nucdet" evaluate "$work/data/manifest.csv" --model "$work/run/best.safetensors" --out "$work/scores" --overlays --quiet
has scores/scores.json scores/organs.csv scores/images.csv scores/curve.csv scores/curve.svg scores/threshold.svg
head -1 "$work/scores/curve.csv" | grep -q ^threshold, || { echo "FAILED: the curve is not over the threshold"; failed=1; }
check "evaluate by the paper's threshold" 0 "pooled" "$nucdet" evaluate "$work/data/manifest.csv" --model "$work/run/best.safetensors" --xi 0.4 --out "$work/relative" --quiet
head -1 "$work/relative/curve.csv" | grep -q ^xi, || { echo "FAILED: the curve is not over xi"; failed=1; }
sed -n 's/^0.4,.*,//p' "$work/relative/curve.csv" | head -c 5 | grep -qf - "$work/relative/scores.json" || { echo "FAILED: the curve does not hold the threshold in use"; failed=1; }
check "evaluate above a high floor" 0 "pooled .* 0.0000  0.0000" "$nucdet" evaluate "$work/data/manifest.csv" --model "$work/run/best.safetensors" --floor 1e9 --quiet
check "evaluate detections" 0 "pooled" "$nucdet" evaluate "$work/data/manifest.csv" --predictions "$work/all" --matcher greedy --quiet
check "evaluate the truth itself" 0 "pooled .* 1.0000  1.0000  1.0000" "$nucdet" evaluate "$work/data/manifest.csv" --predictions "$work/data/annotations" --quiet
check "evaluate detections with a threshold" 2 "scored as they are" "$nucdet" evaluate "$work/data/manifest.csv" --predictions "$work/all" --xi 0.5
check "evaluate a split that is not there" 4 "only of 'test', 'train', 'val'" "$nucdet" evaluate "$work/data/manifest.csv" --predictions "$work/all" --split nowhere
mkdir -p "$work/twice/a" "$work/twice/b"
cp "$image" "$work/twice/a/x.png" && cp "$image" "$work/twice/b/x.png" && cp "$work/data/annotations/$name.csv" "$work/twice/x.csv"
printf 'image,annotations,organ\na/x.png,x.csv,"skin, melanoma"\n' > "$work/twice/one.csv"
printf 'image,annotations,organ\na/x.png,x.csv,\nb/x.png,x.csv,\n' > "$work/twice/two.csv"
printf 'image,annotations,organ\na/x.png,x.csv,\326sophagus\n' > "$work/twice/latin.csv"
printf 'image,annotations,scale\na/x.png,x.csv,100\n' > "$work/twice/scale.csv"
printf 'x,y\n500,3\n' > "$work/twice/outside.csv"
printf 'image,annotations\na/x.png,outside.csv\n' > "$work/twice/outside_manifest.csv"
check "an organ with a comma" 0 "skin, melanoma" "$nucdet" evaluate "$work/twice/one.csv" --split "" --predictions "$work/twice" --out "$work/comma" --quiet
grep -q '^"skin, melanoma",1,' "$work/comma/organs.csv" || { echo "FAILED: organs.csv is not quoted"; failed=1; }
head -c -40 "$image" > "$work/twice/late.png" && head -c 40 "$image" > "$work/twice/early.png"
printf 'image,annotations,split\nlate.png,x.csv,train\nearly.png,x.csv,train\n' > "$work/twice/damaged.csv"
check "the first damaged image of two, read at once" 4 "late.png" "$nucdet" train "$work/twice/damaged.csv" --validation-split train --out "$work/x" --base 4 --quiet
check "two images of one name, in two folders" 0 "pooled" "$nucdet" evaluate "$work/twice/two.csv" --split "" --predictions "$work/twice" --quiet
check "a manifest in another encoding" 4 "is not UTF-8" "$nucdet" evaluate "$work/twice/latin.csv" --split "" --predictions "$work/twice" --quiet
check "a scale out of range" 4 "scale is '100'" "$nucdet" evaluate "$work/twice/scale.csv" --split "" --predictions "$work/twice" --quiet
check "a point outside its image" 4 "1 of 1 points lie outside" "$nucdet" evaluate "$work/twice/outside_manifest.csv" --split "" --model "$work/run/best.safetensors" --quiet
check "evaluate by the weights that come along" 0 "pooled" "$nucdet" evaluate "$work/data/manifest.csv" --quiet
check "evaluate both" 2 "either --model or --predictions" "$nucdet" evaluate "$work/data/manifest.csv" --model "$work/run/best.safetensors" --predictions "$work/all"
check "overlay" 0 "o.png" "$nucdet" overlay "$image" --detections "$work/found/$name.csv" --truth "$work/data/annotations/$name.csv" --out "$work/o.png"
has o.png
check "overlay of the truth" 0 "t.png" "$nucdet" overlay "$image" --truth "$work/data/annotations/$name.csv" --out "$work/t.png"
check "overlay of nothing" 2 "neither" "$nucdet" overlay "$image" --out "$work/n.png"

# A pixel classifier, and the weights that are used when none are named.
check "train a classifier" 0 "validation F1" "$nucdet" train "$work/data/manifest.csv" --out "$work/unet" --net unet --base 8 --iterations 2 --validate-every 1 --snapshot-every 2 --crop 48 --batch 2 --quiet
has unet/best.safetensors unet/snapshot-2.safetensors
check "its label and loss" 0 "loss: cross-entropy" "$nucdet" summary --model "$work/unet/best.safetensors"
check "detect with the weights that the environment names" 0 "$name" env NUCDET_MODEL="$work/unet/best.safetensors" "$nucdet" detect "$image" --out "$work/named" --quiet
check "detect with weights that are not there" 4 "nowhere" env NUCDET_MODEL="$work/nowhere" "$nucdet" detect "$image" --out "$work/named" --quiet
check "centroids of regions" 0 "pooled" "$nucdet" evaluate "$work/data/manifest.csv" --model "$work/unet/best.safetensors" --components 0.5 --quiet
check "regions have no curve" 0 "pooled" "$nucdet" evaluate "$work/data/manifest.csv" --model "$work/unet/best.safetensors" --components 0.5 --out "$work/no-curve" --quiet
grep -q '"threshold": 0.5' "$work/no-curve/scores.json" && [ ! -e "$work/no-curve/curve.csv" ] || { echo "FAILED: a curve of regions"; failed=1; }
check "regions in an image" 0 "$name" "$nucdet" detect "$image" --model "$work/unet/best.safetensors" --components 0.5 --out "$work/regions" --quiet
check "regions and peaks at once" 2 "excludes" "$nucdet" detect "$image" --model "$work/unet/best.safetensors" --components 0.5 --xi 0.3 --out "$work/regions" --quiet
check "cross-entropy of a proximity map" 2 "wanted disc" "$nucdet" train "$work/data/manifest.csv" --out "$work/x" --net unet --base 8 --label proximity --quiet
check "weights of another shape as a start" 2 "asked for is micronet-lite base 8.* are of micronet-lite base 4" "$nucdet" train "$work/data/manifest.csv" --out "$work/x2" --base 8 --initial "$work/run/best.safetensors" --quiet

# Annotations of any format, and manifests of images and annotations.
mkdir -p "$work/points"
printf 'x;y;class\r\n1,5;2;a\r\n3;4;\r\n3;4;\r\n' > "$work/points/excel.csv"
printf 'Image\tObject type\tCentroid X um\tCentroid Y um\n%s\tDetection\t1.25\t2.5\n' "$(basename "$image")" > "$work/points/qupath.tsv"
printf 'x,y\n5,6\n500,6\n-9,2\n' > "$work/points/outside.csv"
check "convert a spreadsheet's table" 0 "excel.csv: 1 duplicate" "$nucdet" convert "$work/points/excel.csv" "$work/points/a.geojson"
check "convert it back" 0 "back.csv	2 points" "$nucdet" convert "$work/points/a.geojson" "$work/points/back.csv"
[ "$(cat "$work/points/back.csv")" = "$(printf 'x,y,class\n1.5,2,a\n3,4,')" ] || { echo "FAILED: points that were converted twice"; failed=1; }
check "convert to a packed file" 0 "2 points" "$nucdet" convert "$work/points/excel.csv" "$work/points/a.geojson.gz"
check "convert to JSON on the standard output" 0 '"points":2,"classes":\{"":1,"a":1\},"format":"table \(semicolons\)"' "$nucdet" convert "$work/points/excel.csv" "$work/points/b.tsv" --json
check "convert um" 0 "0.25 um a pixel, which is assumed" "$nucdet" convert "$work/points/qupath.tsv" "$work/points/um.csv"
check "convert um of half the size" 0 "divided by 0.5 um" "$nucdet" convert "$work/points/qupath.tsv" "$work/points/half.csv" --mpp 0.5
[ "$(tail -1 "$work/points/half.csv")" = "2,4.5" ] || { echo "FAILED: um of half the size"; failed=1; }
check "convert into a folder" 0 "into/qupath.csv	1 points" "$nucdet" convert "$work/points/qupath.tsv" "$work/into/" --image "$image"
check "points outside of the image" 0 "2 of 3 points lie outside of .*96 x 96" "$nucdet" convert "$work/points/outside.csv" "$work/points/o.csv" --image "$image"
check "points outside of any image" 0 "1 of 3 points are negative" "$nucdet" convert "$work/points/outside.csv" "$work/points/o2.csv"
check "convert onto a file that is there" 2 "o.csv is there" "$nucdet" convert "$work/points/outside.csv" "$work/points/o.csv"
check "convert onto it on purpose" 0 "3 points" "$nucdet" convert "$work/points/outside.csv" "$work/points/o.csv" --overwrite
check "convert onto itself" 2 "outside.csv is the input" "$nucdet" convert "$work/points/outside.csv" "$work/points/outside.csv" --overwrite
check "convert to what is not written" 2 "are written as .csv, .tsv, .geojson" "$nucdet" convert "$work/points/outside.csv" "$work/points/o.xls"
check "convert detections" 0 "holds what nucdet found" "$nucdet" convert "$work/found/$name.csv" "$work/points/found.csv"
check "convert what is none" 4 "annotations are read from" "$nucdet" convert "$nucdet" "$work/points/none.csv"
mkdir -p "$work/cohort/images/p1" "$work/cohort/images/p2" "$work/cohort/points/p1" "$work/cohort/points/p2"
for p in p1 p2; do cp "$image" "$work/cohort/images/$p/x.png"; cp "$work/data/annotations/$name.csv" "$work/cohort/points/$p/x.csv"; done
cp "$image" "$work/cohort/images/p1/lonely.png" && cp "$work/points/outside.csv" "$work/cohort/points/p2/stray.csv"
cohort=("$nucdet" manifest "$work/cohort/images" "$work/cohort/points" --recursive)
check "manifest" 0 "train	1 images	1 patients" "${cohort[@]}" --split 50,50 --out "$work/cohort/data.csv"
grep -qE '^images/p1/x.png,points/p1/x.csv,,(train|val),96,96,[0-9]+,,p1,,' "$work/cohort/data.csv" || { echo "FAILED: the rows of a manifest"; failed=1; }
check "images without annotations" 0 "1 images without annotations are left out: .*lonely.png" "${cohort[@]}" --out "$work/cohort/b.csv"
check "annotations without an image" 0 "1 annotations without an image: .*stray.csv" "${cohort[@]}" --out "$work/cohort/b.csv" --overwrite
check "a manifest in JSON" 0 '"images":2,"failed":0' "${cohort[@]}" --patient '^(p)' --out "$work/cohort/c.csv" --json
check "one patient" 0 "all images are of one patient, 'p'" "${cohort[@]}" --patient '^(p)' --out "$work/cohort/c.csv" --overwrite
check "a patient that is not told" 2 "'\^\(q\)' finds nothing in 'p1/x.png'" "${cohort[@]}" --patient '^(q)' --out "$work/cohort/d.csv"
check "no regular expression" 2 "no regular expression" "${cohort[@]}" --patient '(' --out "$work/cohort/d.csv"
check "shares that are none" 2 "wanted two or three shares" "${cohort[@]}" --split 70 --out "$work/cohort/d.csv"
check "a manifest that is there" 2 "data.csv is there" "${cohort[@]}" --out "$work/cohort/data.csv"
check "train on it" 0 "validation F1" "$nucdet" train "$work/cohort/data.csv" --out "$work/cohort/run" "${small[@]}"
printf 'image,annotations,split\nimages/p1/x.png,points/p1/x.csv,train\n./images/p1/x.png,points/p1/x.csv,Val\n' > "$work/cohort/both.csv"
check "an image in two splits" 0 "there twice.* in train and val" "$nucdet" train "$work/cohort/both.csv" --out "$work/cohort/both" "${small[@]}"
printf 'Image;Annotations\r\nimages/p1/x.png;points/p1/x.csv\r\n' > "$work/cohort/one.csv"
check "a single image" 0 "too few to hold some out: validation is on the images to train on" "$nucdet" train "$work/cohort/one.csv" --out "$work/cohort/one" "${small[@]}"
printf 'x,y\n' > "$work/cohort/points/none.csv"
printf 'image,annotations,split\nimages/p1/x.png,points/p1/x.csv,train\nimages/p2/x.png,points/none.csv,val\n' > "$work/cohort/empty.csv"
check "no nuclei to validate with" 0 "no nuclei in the 1 validation images" "$nucdet" train "$work/cohort/empty.csv" --out "$work/cohort/empty" "${small[@]}"
printf 'image,annotations,split\n' > "$work/cohort/header.csv"
check "a manifest of nothing" 4 "is empty" "$nucdet" train "$work/cohort/header.csv" --out "$work/x" "${small[@]}"

check "doctor" 0 "device auto is: (cpu|cuda)" "$nucdet" doctor
check "bench" 0 "detect .*1x64x96x3" "$nucdet" bench --base 4 --height 64 --width 96 --crop 32 --batch 1 --seconds 0.01 --device cpu --json "$work/bench.json"
has bench.json
check "a device that is none" 2 "wanted auto, cpu, cuda or cuda:N" "$nucdet" bench --device gpu
check "a number that is none" 2 "wanted auto, cpu, cuda or cuda:N" "$nucdet" bench --device cuda:x
check "16 bits on the processor" 2 "computes in fp32" "$nucdet" bench --device cpu --precision bf16
if "$nucdet" doctor | grep -q "auto is: cpu"; then
  check "a GPU that is not there" 1 "device cuda: (no CUDA device|nucdet was built without)" "$nucdet" bench --device cuda
fi
exit $failed
