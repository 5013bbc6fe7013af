#!/usr/bin/env python3
"""Times SciPy on the job of bench_detect's peaks/response/size:1000: the maximum filter of an 11 x 11 window, which is
nearly all that scikit-image's peak_local_max(min_distance=5) does, and the comparison with it."""
import time

import numpy as np
from scipy import ndimage

SIZE, COUNT, RADIUS = 1000, 3000, 15

random = np.random.RandomState(1)
centres = np.ones((SIZE, SIZE), bool)
centres[random.randint(SIZE, size=COUNT), random.randint(SIZE, size=COUNT)] = False
distance = ndimage.distance_transform_edt(centres)
cones = np.expm1(3 * np.maximum(0, 1 - distance / RADIUS)) / np.expm1(3)
image = (5 * cones + random.uniform(-0.05, 0.05, (SIZE, SIZE))).astype(np.float32)

times = []
for _ in range(9):
    start = time.perf_counter()
    highest = ndimage.maximum_filter(image, size=11, mode="nearest")
    peaks = np.argwhere((image == highest) & (image >= 0.2))
    times.append(time.perf_counter() - start)
print(f"{SIZE} x {SIZE}, {len(peaks)} peaks: {1e6 * sorted(times)[4]:.0f} us (median of 9)")
