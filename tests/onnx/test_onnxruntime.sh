#!/usr/bin/env bash
# What nucdet writes as ONNX, run by ONNX Runtime: every network, every layer, the weights that come along; then the way
# from pixels to points in Python (integrations/onnx/nuclei.py) against the program's.
#   test_onnxruntime.sh PEER PROGRAM SOURCE     PEER: onnx_peer
# A Python with onnx and onnxruntime is NUCDET_ONNX_PYTHON, else python3; without both the test says SKIPPED and exits with 77.
set -euo pipefail
peer=$(realpath "$1") program=$(realpath "$2") source=$(realpath "$3")
python=${NUCDET_ONNX_PYTHON:-python3}
if ! "$python" -c 'import numpy, onnx, onnxruntime' 2> /dev/null; then
  echo "SKIPPED: $python has not onnx and onnxruntime: pip install onnx onnxruntime, then NUCDET_ONNX_PYTHON=that python"
  exit 77
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
fail() { echo "FAILED: $*" >&2; exit 1; }

mkdir cases
"$peer" cases "$source"/models/*.safetensors
"$python" "$source/tests/onnx/check_onnxruntime.py" cases
rm -r cases

"$program" synth --out tissue --images 4 --size 300 --seed 4 > /dev/null
images=(tissue/images/*.png)
image=${images[0]}
"$python" - "$image" image.npy <<'PYTHON'
# An RGB PNG without interlace, as nucdet writes it: numpy alone reads it.
import struct, sys, zlib
import numpy as np
data, at, packed = open(sys.argv[1], "rb").read(), 8, b""
while at < len(data):
    size, kind = struct.unpack(">I4s", data[at : at + 8])
    body = data[at + 8 : at + 8 + size]
    if kind == b"IHDR":
        width, height, depth, colour = struct.unpack(">IIBB", body[:10])
        assert (depth, colour) == (8, 2), (depth, colour)
    packed += body if kind == b"IDAT" else b""
    at += 12 + size
rows = np.frombuffer(zlib.decompress(packed), np.uint8).reshape(height, 1 + 3 * width)
image = np.zeros((height, width, 3), np.int32)
for y in range(height):
    how, line = rows[y, 0], rows[y, 1:].reshape(width, 3).astype(np.int32)
    above = image[y - 1] if y else np.zeros((width, 3), np.int32)
    if how in (0, 2):
        image[y] = (line + (above if how == 2 else 0)) & 255
        continue
    for x in range(width):
        a = image[y, x - 1] if x else np.zeros(3, np.int32)
        b, c = above[x], above[x - 1] if x else np.zeros(3, np.int32)
        if how == 1:
            guess = a
        elif how == 3:
            guess = (a + b) // 2
        else:
            p = a + b - c
            pa, pb, pc = abs(p - a), abs(p - b), abs(p - c)
            guess = np.where((pa <= pb) & (pa <= pc), a, np.where(pb <= pc, b, c))
        image[y, x] = (line[x] + guess) & 255
np.save(sys.argv[2], image.astype(np.uint8))
PYTHON
for weights in nuclei-he nuclei-he-classes; do
  "$program" export "$source/models/$weights.safetensors" --format onnx --out $weights.onnx > told.txt
  grep -q 'image -> map' told.txt || fail "the export says: $(cat told.txt)"
  "$program" detect "$image" --model "$source/models/$weights.safetensors" --exact --out found > /dev/null
  "$python" "$source/integrations/onnx/nuclei.py" $weights.onnx image.npy > peer.csv
  "$python" - found/*.csv peer.csv $weights.onnx <<'PYTHON'
import csv, sys
import onnxruntime
ours, theirs = ([*csv.DictReader(open(f))] for f in sys.argv[1:3])
names = onnxruntime.InferenceSession(sys.argv[3]).get_modelmeta().custom_metadata_map
assert len(ours) == len(theirs) > 20, (len(ours), len(theirs))
for a, b in zip(ours, theirs):
    for key, most in (("x", 0.01), ("y", 0.01), ("score", 1e-4)):
        assert abs(float(a[key]) - float(b[key])) <= most, (key, a, b)
    kind = names[f"head.class.{b['class']}"] if b["class"] != "-1" else None
    assert a.get("class") == kind, (a, b)
print(f"{len(ours)} nuclei by the program and by nuclei.py: the same")
PYTHON
  rm -r found
done
