#!/usr/bin/env python3
"""Makes tests/golden/python.safetensors with Python's own package (pip install safetensors numpy)."""
import os

import numpy as np
from safetensors.numpy import save_file

tensors = {
    "down1.conv1.weight": np.arange(24, dtype=np.float32).reshape(2, 3, 2, 2) / 8 - 1,
    "half": np.array([0, -0.0, 1, -2.5, 65504, 6e-8, np.inf], dtype=np.float16),
    "double": np.array([[1 / 3, -1e300]], dtype=np.float64),
    "scalar": np.array(7, dtype=np.int64),
    "empty": np.zeros((0, 4), dtype=np.float32),
    "kern \u00e4\u4e2d\U0001f52c \"q\" \\": np.array([1, 2, 255], dtype=np.uint8),
}
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "python.safetensors")
save_file(tensors, path, metadata={"network": "MicroNet", "licence": "CC BY 4.0 \u00b7 \n"})
