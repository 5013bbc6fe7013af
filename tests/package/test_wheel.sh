#!/usr/bin/env bash
# The Python package as users build it: a wheel of a clean copy of the sources, by scikit-build-core, installed in a fresh
# environment far from them, where it finds nuclei. By hand, not in the project's tests: it fetches the builder from PyPI and compiles for
# minutes. Without Python's headers, or where PyPI is not reached, it says SKIPPED and exits with 77.
#   test_wheel.sh [PYTHON]      with NUCDET_WHEEL=FILE only installs and looks at that one
set -euo pipefail
source=$(realpath "$(dirname "$0")/../..") python=$(command -v "${1:-python3}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
skip() { echo "SKIPPED: $*"; exit 77; }
fail() { echo "FAILED: $*" >&2; exit 1; }
"$python" -c 'import sysconfig, os, venv, ensurepip; assert os.path.exists(sysconfig.get_paths()["include"] + "/Python.h")' 2> /dev/null ||
  skip "$python has no venv or no headers (python3-venv, python3-dev)"

wheel=${NUCDET_WHEEL:-}
if [ -z "$wheel" ]; then
  git -C "$source" rev-parse --git-dir > /dev/null 2>&1 || skip "$source is no clone, of which a clean copy could be made"
  mkdir "$work/copy"
  git -C "$source" archive HEAD | tar -x -C "$work/copy"
  "$python" -m venv "$work/builder"
  "$work/builder/bin/pip" install --quiet build 2> "$work/pip.txt" || skip "PyPI is not reached: $(tail -1 "$work/pip.txt")"
  CMAKE_BUILD_PARALLEL_LEVEL=${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)} "$work/builder/bin/python" -m build --wheel --outdir "$work/wheels" \
    "$work/copy" > "$work/build.txt" 2>&1 || { tail -30 "$work/build.txt" >&2; fail "the wheel is not built"; }
  wheel=$(echo "$work"/wheels/nucdet-*.whl)
  rm -rf "$work/copy"  # nothing may be read from there
fi
echo "$(basename "$wheel"): $(($(stat -c %s "$wheel") / 1024)) kB"

"$python" -m venv "$work/user"
"$work/user/bin/pip" install --quiet "$wheel" 2> "$work/pip.txt" || skip "NumPy was not fetched: $(tail -1 "$work/pip.txt")"
cd "$work"
env -u PYTHONPATH -u NUCDET_MODEL "$work/user/bin/python" - << 'PYTHON'
import importlib.metadata, pathlib, pickle, sys
import numpy as np
import nucdet
assert pathlib.Path(nucdet.__file__).is_relative_to(sys.prefix), nucdet.__file__
assert importlib.metadata.version("nucdet") == nucdet.__version__
assert (pathlib.Path(nucdet.__file__).parent / "py.typed").is_file()
image = np.full((96, 128, 3), 235, np.uint8)
y, x = np.mgrid[:96, :128]
for cx, cy in ((30, 40), (90, 60)):
    image[np.hypot(x - cx, y - cy) < 11] = (110, 70, 150)
for name in ("nuclei-he", "nuclei-he-classes"):
    detector = nucdet.Detector(nucdet.weights_file(name))
    nuclei = detector.detect(image, 0.25)
    assert nucdet.match(nuclei, [[30, 40], [90, 60]], 8).hits == 2, nuclei
    assert np.array_equal(pickle.loads(pickle.dumps(detector)).detect(image, 0.25), nuclei)
assert len(detector.classes) == 3 and set(nuclei["class"]) <= {0, 1, 2}
print(f"nucdet {nucdet.__version__}: {len(nuclei)} nuclei, OpenSlide {nucdet.openslide_version()}")
PYTHON
echo "the wheel installs and finds nuclei"
