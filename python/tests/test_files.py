"""Annotations and results in files."""

import numpy as np
import pytest

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
    assert list(tmp_path.iterdir()) == [tmp_path / "bad.csv"]


@pytest.mark.parametrize("ending", ["csv", "json", "geojson", "db"])
def test_results(detector, images, pixels, ending, tmp_path):
    found = detector.detect(pixels)
    file = tmp_path / f"found.{ending}"
    nucdet.write_nuclei(file, found, image=images[0].name, shape=pixels.shape[:2], mpp=0.25)
    read = nucdet.read_annotations(file)
    points = np.asarray(read.points)
    assert len(points) == len(found) and read.detections
    assert np.allclose(points[np.lexsort(points.T)], np.stack([found["x"], found["y"]], 1)[np.lexsort([found["x"], found["y"]])])


def test_the_programs_table(program, detector, images, tmp_path):
    program("detect", images[3], "--out", tmp_path, "--quiet")
    nucdet.write_nuclei(tmp_path / "mine.csv", detector.detect(images[3]))
    assert (tmp_path / "mine.csv").read_bytes() == (tmp_path / f"{images[3].stem}.csv").read_bytes()


def test_images(images):
    picture = nucdet.read_image(images[0])
    assert picture.pixels.shape == (112, 112, 3) and picture.pixels.dtype == np.uint8 and picture.mpp is None
    with pytest.raises(OSError):
        nucdet.read_image(__file__)
