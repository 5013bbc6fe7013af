"""Annotations and results in files."""

import errno
import json

import numpy as np
import pytest
from conftest import same

import nucdet

POINTS = np.array([[1.25, 2.5], [100.0, 7.0], [33.5, 44.125]])
CLASSES = ["tumour", "", "stroma"]
SQUARE = np.array([[0, 0], [50, 0], [50, 50], [0, 50]], float)


@pytest.mark.parametrize("ending", ["csv", "tsv", "geojson", "geojson.gz", "db"])
def test_there_and_back(ending, tmp_path):
    file = tmp_path / f"a.{ending}"
    written = nucdet.Annotations(POINTS, CLASSES, regions=[[SQUARE]] if ending.startswith(("geo", "db")) else [])
    nucdet.write_annotations(file, written)
    read = nucdet.read_annotations(file)
    order = np.lexsort(np.asarray(read.points).T)
    assert np.array_equal(np.asarray(read.points)[order], POINTS[np.lexsort(POINTS.T)])
    assert sorted(read.classes) == sorted(CLASSES) and read.format and not read.detections
    if written.regions:
        assert len(read.regions) == 1 and np.array_equal(np.unique(read.regions[0][0], axis=0), np.unique(SQUARE, axis=0))
    with pytest.raises(FileExistsError):
        nucdet.write_annotations(file, POINTS)
    nucdet.write_annotations(file, POINTS[:1], overwrite=True)
    assert len(np.asarray(nucdet.read_annotations(file).points)) == 1


def test_errors_name_the_place(tmp_path):
    (tmp_path / "bad.csv").write_text("x,y\n1,2\n3,four\n")
    with pytest.raises(OSError, match=r"bad\.csv.*3"):
        nucdet.read_annotations(tmp_path / "bad.csv")
    with pytest.raises(ValueError, match="csv"):
        nucdet.write_annotations(tmp_path / "a.xlsx", POINTS)
    with pytest.raises(ValueError, match="2 classes for 3"):
        nucdet.write_annotations(tmp_path / "a.csv", POINTS, ["a", "b"])
    for areas, words in (([], "no rings"), ([np.empty((0, 2))], "0 corners"), ([SQUARE, SQUARE[:2]], "2 corners")):
        for ending in ("geojson", "db", "csv"):
            for kind in ("regions", "ignored"):
                with pytest.raises(ValueError, match=words):
                    nucdet.write_annotations(tmp_path / f"a.{ending}", nucdet.Annotations(POINTS, **{kind: [areas]}))
    with pytest.raises(ValueError, match="beside Annotations"):
        nucdet.write_annotations(tmp_path / "a.csv", nucdet.Annotations(POINTS, CLASSES), CLASSES)
    for mpp in (0, -1, float("nan")):
        with pytest.raises(ValueError, match="mpp"):
            nucdet.read_annotations(tmp_path / "bad.csv", mpp)
    assert list(tmp_path.iterdir()) == [tmp_path / "bad.csv"]
    with pytest.raises(FileNotFoundError) as none:
        nucdet.read_annotations(tmp_path / "none.csv")
    assert none.value.errno == errno.ENOENT and none.value.filename == str(tmp_path / "none.csv")
    with pytest.raises(FileExistsError, match="overwrite=True") as there:
        nucdet.write_annotations(tmp_path / "bad.csv", POINTS)
    assert there.value.errno == errno.EEXIST
    with pytest.raises(ValueError, match="points"):
        nucdet.Annotations(np.zeros((3, 3)))


@pytest.mark.parametrize("ending", ["csv", "json", "geojson", "db"])
def test_results(detector, images, pixels, ending, tmp_path):
    found = detector.detect(pixels)
    file = tmp_path / f"found.{ending}"
    nucdet.write_nuclei(file, found, image=images[0].name, shape=pixels.shape[:2], mpp=0.25)
    read = nucdet.read_annotations(file)
    points = np.asarray(read.points)
    assert len(points) == len(found) and read.detections
    assert np.allclose(points[np.lexsort(points.T)], np.stack([found["x"], found["y"]], 1)[np.lexsort([found["x"], found["y"]])])


NAMES = ["lymphocyte", "stroma", "tumour"]


def nuclei():
    made = np.zeros(3, nucdet.NUCLEUS)
    made["x"], made["y"], made["score"] = [1.25, 1 / 3, 7], [2, 5, 1e-3], [0.1, 1 / 3, 1]
    made["class"], made["class_probability"] = [2, -1, 0], [0.7, 0, 1 / 3]
    return made


def test_joined_nuclei_are_nuclei(tmp_path):
    wanted = nuclei()
    joined = {
        "concatenated": np.concatenate([wanted[:1], wanted[1:]]),
        "one by one": np.array([n for n in wanted]),
        "appended": np.append(wanted[:2], wanted[2:]),
        "without gaps": wanted.astype(np.dtype([(name, wanted.dtype[name]) for name in wanted.dtype.names])),
        "in another order": wanted[list(wanted.dtype.names)[::-1]],
        "every other": np.repeat(wanted, 2)[::2],
        "at odd addresses": np.frombuffer(b"-" + wanted.tobytes(), nucdet.NUCLEUS, offset=1),
    }
    assert joined["concatenated"].dtype == nucdet.NUCLEUS and joined["one by one"].dtype == nucdet.NUCLEUS
    assert joined["without gaps"].dtype.itemsize == 28
    for name, given in joined.items():
        nucdet.write_nuclei(tmp_path / "a.json", given, NAMES, overwrite=True)
        read, names = nucdet.read_nuclei(tmp_path / "a.json")
        assert same(read, wanted) and names == NAMES, name
    with pytest.raises(ValueError, match="NUCLEUS"):
        nucdet.write_nuclei(tmp_path / "b.json", POINTS)
    nucdet.write_nuclei(tmp_path / "none.csv", np.array([]))
    assert len(nucdet.read_nuclei(tmp_path / "none.csv")[0]) == 0


def test_scores_and_classes_are_read_back(tmp_path):
    nucdet.write_nuclei(tmp_path / "a.csv", nuclei(), NAMES, mpp=0.5)
    read, names = nucdet.read_nuclei(tmp_path / "a.csv")
    assert names == ["lymphocyte", "tumour"]  # that occur
    read["class"][read["class"] == 1] = 2
    assert same(read, nuclei())
    nucdet.write_annotations(tmp_path / "b.csv", POINTS)
    nucdet.write_nuclei(tmp_path / "b.geojson", nuclei(), NAMES)
    for other in ("b.csv", "b.geojson", "none.csv"):
        with pytest.raises(OSError, match=other):
            nucdet.read_nuclei(tmp_path / other)


def test_json_says_what_is_known(tmp_path):
    nucdet.write_nuclei(tmp_path / "a.json", nuclei(), NAMES)
    bare = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    assert not {"width", "height", "model", "threshold", "scale", "full_scale", "xi", "tile", "average", "normalization"} & set(bare)
    nucdet.write_nuclei(tmp_path / "b.json", nuclei(), NAMES, mpp=0.5, image="a.png", shape=(30, 40))
    told = json.loads((tmp_path / "b.json").read_text(encoding="utf-8"))
    assert (told["scale"], told["um_per_pixel"]["x"], told["width"], told["height"]) == (2, 0.5, 40, 30)


@pytest.mark.parametrize("ending", ["csv", "json", "geojson", "db"])
def test_what_are_no_nuclei(ending, tmp_path):
    file = tmp_path / f"a.{ending}"
    for field, value, words in (("x", np.nan, "nan"), ("y", 2e9, "nucleus 1"), ("score", np.inf, "inf"), ("class", 3, "class 3"),
                                ("class", -2, "class -2")):
        wrong = nuclei()
        wrong[field][1] = value
        with pytest.raises(ValueError, match=words):
            nucdet.write_nuclei(file, wrong, NAMES)
    with pytest.raises(ValueError, match="classes=Detector.classes"):
        nucdet.write_nuclei(file, nuclei())
    for mpp in (0, -0.25):
        with pytest.raises(ValueError, match="mpp"):
            nucdet.write_nuclei(file, nuclei(), NAMES, mpp=mpp)
    assert list(tmp_path.iterdir()) == []


def test_the_programs_table(program, detector, images, tmp_path):
    program("detect", images[3], "--out", tmp_path, "--quiet")
    nucdet.write_nuclei(tmp_path / "mine.csv", detector.detect(images[3]))
    assert (tmp_path / "mine.csv").read_bytes() == (tmp_path / f"{images[3].stem}.csv").read_bytes()


def test_images(images):
    picture = nucdet.read_image(images[0])
    assert picture.pixels.shape == (112, 112, 3) and picture.pixels.dtype == np.uint8 and picture.mpp is None
    with pytest.raises(OSError):
        nucdet.read_image(__file__)
