#!/usr/bin/env python3
"""The reader for napari, on the Python package nucdet: rows before columns, classes, scores. Without the package it says
SKIPPED and exits with 77; napari itself is not needed.  usage: test_napari.py SOURCE"""
import pathlib
import sys
import tempfile

source = pathlib.Path(sys.argv[1])
try:
    import numpy as np
    import nucdet
except ImportError as error:
    print(f"SKIPPED: {error}")
    sys.exit(77)
sys.path.insert(0, str(source / "integrations" / "napari"))
import nucdet_napari

# napari looks for the manifest in the folder of the package that the entry point names.
assert any((pathlib.Path(folder) / "napari.yaml").exists() for folder in nucdet_napari.__path__)

with tempfile.TemporaryDirectory() as folder:
    path = f"{folder}/points.geojson"
    nucdet.write_annotations(path, [[10.0, 20.0], [3.5, 4.0]], ["tumour", "stroma"])
    assert nucdet_napari.get_reader(f"{folder}/a.png") is None
    ((data, settings, kind),) = nucdet_napari.get_reader(path)(path)
    assert kind == "points" and data.tolist() == [[20.0, 10.0], [4.0, 3.5]], data
    assert list(settings["features"]["class"]) == ["tumour", "stroma"], settings

    nuclei = np.zeros(2, nucdet.NUCLEUS)
    nuclei["x"], nuclei["score"], nuclei["class"], nuclei["class_probability"] = [5, 7], [0.5, 0.75], [1, -1], [0.875, 0]
    for ending in ("csv", "json"):
        path = f"{folder}/found.{ending}"
        nucdet.write_nuclei(path, nuclei, ["stroma", "tumour"])
        ((data, settings, kind),) = nucdet_napari.read(path)
        features = {name: list(values) for name, values in settings["features"].items()}
        assert data.tolist() == [[0, 5], [0, 7]], data
        assert features == {"class": ["tumour", ""], "score": [0.5, 0.75], "class probability": [0.875, 0]}, features
    table = f"{folder}/mine.csv"
    pathlib.Path(table).write_text("x,y\n1,2\n")
    ((data, settings, kind),) = nucdet_napari.read(table)
    assert data.tolist() == [[2, 1]] and "score" not in settings["features"]

image = np.full((96, 128, 3), 235, np.uint8)
image[40:52, 70:82] = (90, 60, 140)  # a dark square where a nucleus could be
data, settings, kind = nucdet_napari.found_layer(image)
nuclei = nucdet.Detector().detect(image)
assert len(data) == len(nuclei) == len(settings["features"]["score"])
assert np.allclose(data[:, 0], nuclei["y"]) and np.allclose(data[:, 1], nuclei["x"])
print(f"points come rows first; {len(data)} found in a picture")
