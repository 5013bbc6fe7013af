#!/usr/bin/env python3
"""A tour in cells, for editors that run them, or as a whole: tour.py IMAGE [ANNOTATIONS] [PICTURE.png]

Finds nuclei, looks at what the network saw, compares with annotations. Needs matplotlib.
"""

# %% An image, and its nuclei
import pathlib
import sys

import matplotlib.pyplot as plt
import numpy as np

import nucdet

image, annotations, out = (*sys.argv[1:], "", "")[:3]
picture = nucdet.read_image(image)
detector = nucdet.Detector()
nuclei = detector.detect(picture.pixels, picture.mpp)
print(f"{image}: {picture.pixels.shape}, {len(nuclei)} nuclei of at least {detector.threshold:.2f}")

figure, panels = plt.subplots(2, 2, figsize=(10, 10), constrained_layout=True)
panels[0, 0].imshow(picture.pixels)
panels[0, 0].scatter(nuclei["x"], nuclei["y"], c=nuclei["score"], cmap="viridis", s=14, vmin=0, vmax=1)
panels[0, 0].set_title(f"{len(nuclei)} nuclei, coloured by score")

# %% What the network says of each pixel
scale = (picture.mpp or 0.25) / 0.25
if abs(scale - 1) < 0.05:
    maps = detector.maps(picture.pixels)
    panels[0, 1].imshow(maps["map"][..., 0], cmap="magma")
panels[0, 1].set_title("its map: peaks are nuclei")

# %% Which scores they have
panels[1, 0].hist(nuclei["score"], bins=np.linspace(0, 1, 21))
panels[1, 0].axvline(detector.threshold, color="black", linestyle="--")
panels[1, 0].set_title("scores, and the threshold")

# %% What was right
panels[1, 1].imshow(picture.pixels)
if annotations:
    truth = nucdet.read_annotations(annotations, picture.mpp)
    points = truth.points
    matching = nucdet.match(nuclei, truth, mpp=picture.mpp)
    pairs, _ = matching.pairs
    found, there = matching.counted
    alone, missed = np.setdiff1d(found, pairs[:, 0]), np.setdiff1d(there, pairs[:, 1])
    panels[1, 1].plot(nuclei["x"][pairs[:, 0]], nuclei["y"][pairs[:, 0]], "o", mec="lime", mfc="none")
    panels[1, 1].plot(nuclei["x"][alone], nuclei["y"][alone], "s", mec="red", mfc="none")
    panels[1, 1].plot(points[missed, 0], points[missed, 1], "^", mec="blue", mfc="none")
    panels[1, 1].set_title(f"F1 {matching.score.f1:.2f}: circles hits, squares false, triangles missed")

# %% The picture
for panel in (panels[0, 0], panels[0, 1], panels[1, 1]):
    panel.axis("off")
target = pathlib.Path(out or "tour.png")
figure.savefig(target, dpi=70)
print(target)
