"""Whole slides."""

import os
import pickle
import subprocess
import threading
import time
from pathlib import Path

import pytest
from conftest import same, table

import nucdet
from nucdet import _openslide


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
    told_again = []
    assert same(detector.detect(slide, on_progress=lambda *now: told_again.append(now)), found) and told_again == told


def test_positions_from_what_was_scanned(program, detector, tmp_path):
    make = os.environ.get("NUCDET_GIANT_SLIDE", "")
    if not make or nucdet.openslide_version() is None:
        pytest.skip("no program that makes slides, or no OpenSlide library, which reads what was scanned")
    file = tmp_path / "scanned.scn"
    subprocess.run([make, str(file), "1000", "800", "512", "256"], check=True, capture_output=True)
    program("detect", file, "--out", tmp_path, "--origin", "bounds", "--quiet")
    found = detector.detect_slide(file, origin="bounds")
    assert nucdet.Slide(file).bounds == (512, 256, 1000, 800)
    assert len(found) > 20 and same(found, table(tmp_path / "scanned.csv"))
    with pytest.raises(ValueError, match="bounds"):
        detector.detect_slide(file, origin="middle")


def test_an_exception_ends_it(detector, slide):
    def stop(done, of):
        raise LookupError(f"{done} of {of}")

    with pytest.raises(LookupError, match="0 of"):
        detector.detect_slide(slide, on_progress=stop)


def test_what_it_is(slide, monkeypatch):
    assert nucdet.is_slide(slide) and not nucdet.is_slide(__file__)
    about = nucdet.Slide(slide)
    assert about.size == (3000, 2000) and about.levels[0] == (3000, 2000, 1.0) and about.bounds == (0, 0, 3000, 2000)
    small = about.thumbnail(300)
    assert small.shape == (200, 300, 3) and abs(small.mean() - about.read(0, 0, 3000, 2000).mean()) < 2
    part = about.read(100, 50, 64, 32)
    assert part.shape == (32, 64, 3) and (about.read(-10, -10, 5, 5) == 255).all()
    monkeypatch.chdir(slide.parent)
    data = pickle.dumps(nucdet.Slide(slide.name))
    monkeypatch.chdir("/")
    assert (pickle.loads(data).read(100, 50, 64, 32) == part).all()


def test_refused(detector, tmp_path):
    with pytest.raises(OSError, match="slide"):
        detector.detect_slide(__file__)
    with pytest.raises(FileNotFoundError):
        nucdet.Slide(tmp_path / "none.svs")
    with pytest.raises(FileNotFoundError):
        detector.detect_slide(tmp_path / "none.svs")


def test_scanners_formats_by_openslide():
    if nucdet.openslide_version() is None:
        pytest.skip("no OpenSlide library here")
    file = Path(__file__).parents[2] / "tests" / "fuzz" / "corpus" / "slide" / "aperio.svs"
    about = nucdet.Slide(file)
    assert nucdet.is_slide(file) and about.mpp == pytest.approx(0.499)
    for name in about.associated:
        assert about.read_associated(name).ndim == 3
    with pytest.raises(OSError, match="none"):
        about.read_associated("none")


def test_one_search_for_openslide(monkeypatch):
    """Whoever asks while another one searches waits for its end."""
    seen, begun = [], threading.Event()

    def search():
        begun.set()
        time.sleep(0.2)
        seen.append("found")

    monkeypatch.setattr(_openslide, "_sought", False)
    monkeypatch.setattr(_openslide, "_seek", search)
    first = threading.Thread(target=_openslide.prepare)
    first.start()
    begun.wait()
    _openslide.prepare()
    assert seen == ["found"]
    first.join()
    assert seen == ["found"]
