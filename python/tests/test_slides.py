"""Whole slides."""

import os
import pickle
import subprocess
from pathlib import Path

import pytest
from conftest import same, table

import nucdet


@pytest.fixture(scope="module")
def slide(tmp_path_factory):
    make = os.environ.get("NUCDET_GIANT_SLIDE", "")
    if not make:
        pytest.skip("NUCDET_GIANT_SLIDE names no program that makes a slide")
    file = tmp_path_factory.mktemp("slide") / "a.tif"
    subprocess.run([make, str(file), "3000", "2000"], check=True, capture_output=True)
    return file


def test_points_are_the_programs(program, detector, slide, tmp_path):
    told = []
    found = detector.detect_slide(slide, on_progress=lambda done, of: told.append((done, of)))
    program("detect", slide, "--out", tmp_path, "--quiet")
    assert len(found) > 100 and same(found, table(tmp_path / "a.csv"))
    done = [tiles for tiles, _ in told if tiles > 0]  # before them 0, while tissue is sought
    assert told[0][0] == 0 and told[-1][0] == told[-1][1] > 1 and done == list(range(1, told[-1][1] + 1))


def test_an_exception_ends_it(detector, slide):
    def stop(done, of):
        raise LookupError(f"{done} of {of}")

    with pytest.raises(LookupError, match="0 of"):
        detector.detect_slide(slide, on_progress=stop)


def test_what_it_is(slide):
    assert nucdet.is_slide(slide) and not nucdet.is_slide(__file__)
    about = nucdet.Slide(slide)
    assert about.size == (3000, 2000) and about.levels[0] == (3000, 2000, 1.0)
    part = about.read(100, 50, 64, 32)
    assert part.shape == (32, 64, 3) and (about.read(-10, -10, 5, 5) == 255).all()
    assert (pickle.loads(pickle.dumps(about)).read(100, 50, 64, 32) == part).all()


def test_refused(detector, tmp_path):
    with pytest.raises(OSError, match="slide"):
        detector.detect_slide(__file__)
    with pytest.raises(OSError):
        nucdet.Slide(tmp_path / "none.svs")


def test_scanners_formats_by_openslide():
    if nucdet.openslide_version() is None:
        pytest.skip("no OpenSlide library here")
    file = Path(__file__).parents[2] / "tests" / "fuzz" / "corpus" / "slide" / "aperio.svs"
    about = nucdet.Slide(file)
    assert nucdet.is_slide(file) and about.mpp == pytest.approx(0.499)
