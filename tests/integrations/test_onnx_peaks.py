#!/usr/bin/env python3
"""The rule of peaks in integrations/onnx/nuclei.py, on maps full of plateaus: against the rule as
include/nucdet/detect/local_maxima.hpp words it, pixel by pixel. It runs no network, so ONNX Runtime is not needed; without
NumPy it says SKIPPED and exits with 77.  usage: test_onnx_peaks.py SOURCE"""
import pathlib
import sys
import types

source = pathlib.Path(sys.argv[1])
try:
    import numpy as np
except ImportError as error:
    print(f"SKIPPED: {error}")
    sys.exit(77)
sys.modules["onnxruntime"] = types.ModuleType("onnxruntime")
sys.path.insert(0, str(source / "integrations" / "onnx"))
sys.dont_write_bytecode = True
import nuclei

finder = object.__new__(nuclei.Nuclei)  # without a network
finder.full_scale, finder.threshold = 5.0, 0.2


def peaks(response, radius):
    """None in the window is higher, and none of the same height comes before, row by row."""
    height, width = response.shape
    for y in range(height):
        for x in range(width):
            at = response[y, x]
            window = [(v, u) for v in range(max(0, y - radius), min(height, y + radius + 1))
                      for u in range(max(0, x - radius), min(width, x + radius + 1))]
            if at >= 1 and all(response[p] < at if p < (y, x) else response[p] <= at for p in window):
                yield y, x


count = 0
for seed in range(20):
    finder.radius = 1 + seed % 4
    response = np.random.default_rng(seed).integers(-1, 4, (17, 23)).astype(np.float32)
    found = [(int(y), int(x)) for y, x in finder._peaks(response)]
    assert found == list(peaks(response, finder.radius)), (seed, found)
    count += len(found)
assert count > 100
for wrong in (np.zeros((8, 8, 3), np.float32), np.zeros((8, 8), np.uint8), np.zeros((8, 8, 4), np.uint8)):
    try:
        finder.detect(wrong)
    except ValueError as error:
        assert "wanted bytes [height, width, 3]" in str(error)
    else:
        raise AssertionError(f"{wrong.dtype} {wrong.shape} is taken for an image")
print(f"{count} peaks on plateaus are those of the library's rule")
