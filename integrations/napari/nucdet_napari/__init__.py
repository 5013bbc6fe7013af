"""A reader of nuclei for napari, and nuclei found in an image layer, over the Python package nucdet.

As a plugin: `pip install ./integrations/napari`. In a script or napari's console:

    import napari, nucdet_napari
    viewer = napari.Viewer()
    layer = viewer.open("tissue.png")[0]
    viewer.add_layer(nucdet_napari.detect(layer.data))              # find them now
    viewer.open("found/tissue.geojson", plugin="nucdet-napari")     # or read what was found, or annotated

napari counts rows first and has (0, 0) in the centre of the first pixel, as nucdet has.
"""

import numpy as np

import nucdet

ENDINGS = (".geojson", ".geojson.gz", ".csv", ".tsv", ".db", ".xml", ".roi", ".json")


def get_reader(path):
    """npe2's question: who reads this? None for what is no file of annotations by its ending."""
    paths = [path] if isinstance(path, str) else path
    return read if all(str(p).lower().endswith(ENDINGS) for p in paths) else None


def read(path):
    """Layers of points, one for each file: annotations of any format, or what nucdet found, of its tables and JSON with
    scores."""
    return [_layer(str(p)) for p in ([path] if isinstance(path, str) else path)]


def detect(image, weights=None, mpp=None):
    """The nuclei of an image [height, width, channels] as a layer that can be added: viewer.add_layer."""
    from napari.layers import Layer

    return Layer.create(*found_layer(image, weights, mpp))


def found_layer(image, weights=None, mpp=None):
    """The same as napari's readers return it: data, settings, "points"."""
    # [found]
    detector = nucdet.Detector(weights)
    nuclei = detector.detect(np.asarray(image), mpp)
    return nuclei_layer(nuclei, detector.classes, "nuclei")
    # [found]


# [layer]
def nuclei_layer(nuclei, classes, name):
    names = [classes[k] if k >= 0 else "" for k in nuclei["class"]]
    data, settings, kind = points_layer(np.column_stack([nuclei["x"], nuclei["y"]]), names, name)
    settings["features"] |= {"score": nuclei["score"].copy(), "class probability": nuclei["class_probability"].copy()}
    return data, settings, kind
# [layer]


def points_layer(points, classes, name):
    """points: [N, 2] of x and y in pixels. classes: as many names."""
    settings = {
        "name": name,
        "size": 12,
        "symbol": "ring",
        "features": {"class": np.asarray(classes, dtype=object)},
        "face_color": "class" if any(classes) else "yellow",
    }
    return np.asarray(points, float).reshape(-1, 2)[:, ::-1].copy(), settings, "points"


def _layer(path):
    if path.lower().endswith((".csv", ".json")):
        try:
            return nuclei_layer(*nucdet.read_nuclei(path), path)
        except OSError:
            pass  # somebody else's
    found = nucdet.read_annotations(path)
    return points_layer(found.points, found.classes or [""] * len(found.points), path)
