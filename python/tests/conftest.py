"""What the tests share: the program, tissue that it makes, detectors."""

import csv
import os
import pathlib
import subprocess

import numpy as np
import pytest

import nucdet

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def program():
    path = os.environ.get("NUCDET_PROGRAM", "")
    if not path:
        pytest.skip("NUCDET_PROGRAM names no program to compare with")

    def run(*arguments):
        return subprocess.run([path, *map(str, arguments)], check=True, capture_output=True, text=True).stdout

    return run


@pytest.fixture(scope="session")
def tissue(program, tmp_path_factory):
    """50 images with known centres, and a manifest."""
    folder = tmp_path_factory.mktemp("tissue") / "data"
    program("synth", "--out", folder, "--images", 50, "--size", 112)
    return folder


@pytest.fixture(scope="session")
def images(tissue):
    return sorted((tissue / "images").glob("*.png"))


@pytest.fixture(scope="session")
def detector():
    return nucdet.Detector()


@pytest.fixture(scope="session")
def pixels(images):
    return nucdet.read_image(images[0]).pixels


def table(path, classes=()):
    """Nuclei of a table that the program wrote, to the bit."""
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    nuclei = np.zeros(len(rows), nucdet.NUCLEUS)
    nuclei["class"] = -1
    for nucleus, row in zip(nuclei, rows):
        nucleus["x"], nucleus["y"], nucleus["score"] = float(row["x"]), float(row["y"]), np.float32(row["score"])
        if row.get("class"):
            nucleus["class"] = classes.index(row["class"])
            nucleus["class_probability"] = np.float32(row["class_probability"])
    return nuclei


def same(a, b):
    return a.dtype == b.dtype and len(a) == len(b) and all(np.array_equal(a[n], b[n]) for n in a.dtype.names)
