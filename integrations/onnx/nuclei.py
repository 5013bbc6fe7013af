#!/usr/bin/env python3
"""Nuclei by a network that `nucdet export` wrote, in ONNX Runtime: the whole way from pixels to points, as nucdet goes it.
    nucdet export --out nuclei.onnx && python3 nuclei.py nuclei.onnx image.png > nuclei.csv
Needs numpy and onnxruntime, and Pillow to read pictures (a .npy of [H, W, 3] bytes does without). Images are at the
model's pixel size (0.25 um) and as large as memory allows; who cuts larger ones into tiles lets them overlap by the
metadata's `input.reach`."""
import sys

import numpy as np
import onnxruntime


class Nuclei:
    """A network and what its metadata say. detect(image) gives an array of x, y, score, class (-1: none), pixels."""

    def __init__(self, path):
        self.session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        self.outputs = [o.name for o in self.session.get_outputs()]
        m = self.metadata = self.session.get_modelmeta().custom_metadata_map
        if not m["input"].startswith("pixels"):
            raise ValueError(f"{path}: reads normalised values; export it with --input pixels")
        self.softmax = m.get("head") == "softmax"
        self.multiple = int(m["input.multiple"])
        self.radius = int(m["peaks.radius"])
        self.full_scale = float(m["peaks.full_scale"]) or 1.0
        self.threshold = float(m["peaks.threshold"])
        if float(m["peaks.smoothing"]) > 0 or float(m["peaks.xi"]) > 0:
            raise ValueError(f"{path}: smoothed maps and relative thresholds are not done here")

    def maps(self, image):
        """The map of nuclei [H, W], and the classes' scores [classes, H, W] or None, of RGB bytes [H, W, 3]."""
        # [maps]
        h, w = image.shape[:2]
        pad = [(0, -h % self.multiple), (0, -w % self.multiple), (0, 0)]
        x = np.pad(image, pad, mode="symmetric").transpose(2, 0, 1)[None].astype(np.float32)
        found = dict(zip(self.outputs, self.session.run(None, {"image": x})))
        # [maps]
        first = found[self.outputs[0]][0]
        if self.softmax:  # the probability that a pixel is none of the background
            others = np.logaddexp.reduce(first[1:], axis=0)
            first = 1 / (1 + np.exp(first[:1] - others[None]))
        classes = found.get("classes")
        return first[0, :h, :w], None if classes is None else classes[0, :, :h, :w]

    def detect(self, image):
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
            raise ValueError(f"an image of {image.dtype} {image.shape}, wanted bytes [height, width, 3]")
        response, classes = self.maps(image)
        rows = []
        for y, x in self._peaks(response):
            score = min(max(float(response[y, x]) / self.full_scale, 0), 1)
            at = -1 if classes is None else self._class_at(classes, y, x)
            rows.append((x + self._vertex(response[y], x), y + self._vertex(response[:, x], y), score, at))
        return np.array(rows).reshape(-1, 4)

    def _peaks(self, response):
        """Pixels that none in their window is higher than; of a plateau the first, row by row."""
        # [peaks]
        r = self.radius
        framed = np.pad(response, r, constant_values=-np.inf)
        windows = np.lib.stride_tricks.sliding_window_view(framed, 2 * r + 1, axis=0).max(axis=-1)
        windows = np.lib.stride_tricks.sliding_window_view(windows, 2 * r + 1, axis=1).max(axis=-1)
        least = np.float32(self.threshold * self.full_scale)
        found = np.argwhere((response >= windows) & (response >= least) & (response > 0))
        side = 2 * r + 1  # of equal pixels in a window the first one is the peak
        return [(y, x) for y, x in found if framed[y : y + side, x : x + side].argmax() == side * side // 2]
        # [peaks]

    @staticmethod
    def _vertex(line, i):
        """From pixel i to the vertex of the parabola through it and its neighbours."""
        if i == 0 or i + 1 == len(line):
            return 0.0
        before, at, after = (float(v) for v in line[i - 1 : i + 2])
        bend = before - 2 * at + after
        return float(np.clip(0.5 * (before - after) / bend, -0.499, 0.499)) if bend < 0 else 0.0

    @staticmethod
    def _class_at(classes, y, x):
        """The class of the highest mean probability in 5 x 5 pixels."""
        part = classes[:, max(0, y - 2) : y + 3, max(0, x - 2) : x + 3].astype(np.float64)
        p = np.exp(part - part.max(axis=0))
        return int((p / p.sum(axis=0)).mean(axis=(1, 2)).argmax())


def read(path):
    if path.endswith(".npy"):
        return np.load(path)
    from PIL import Image

    return np.asarray(Image.open(path).convert("RGB"))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    print("x,y,score,class")
    for x, y, score, kind in Nuclei(sys.argv[1]).detect(read(sys.argv[2])):
        print(f"{x:.3f},{y:.3f},{score:.4f},{int(kind)}")
