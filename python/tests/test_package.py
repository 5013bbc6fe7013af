"""The package itself: types, import time, its documentation."""

import inspect
import pathlib
import re
import subprocess
import sys

import pytest
from conftest import ROOT, same

import nucdet
from nucdet import _built_for, _processor


CALLER = """
from typing import Any

import nucdet
from nucdet import _built_for, _processor


class Picture:
    @property
    def __array_interface__(self) -> dict[str, Any]:
        return {}


detector = nucdet.Detector()
nuclei = detector.detect(Picture(), 0.25)
print(nuclei["x"], [len(found) for found in detector.detect(p for p in [Picture()])])
truth = nucdet.read_annotations("a.csv")
print(truth.points[:, 0], nucdet.score(nuclei, truth).f1)
detector.detect(3)  # wrong
nucdet.Score().hits = 3  # wrong
"""


def test_types(tmp_path):
    """The package's own; and of callers: Pillow's images, generators and what was read pass as what they are."""
    pytest.importorskip("mypy", reason="mypy is missing")
    (tmp_path / "caller.py").write_text(CALLER)
    command = [sys.executable, "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml"), "--cache-dir", "/dev/null"]
    command += ["nucdet", str(tmp_path / "caller.py")]
    done = subprocess.run(command, cwd=ROOT / "python", capture_output=True, text=True, check=False)
    found = re.findall(r"(\S+)\.py:(\d+): error", done.stdout)
    wrong = [str(k) for k, line in enumerate(CALLER.splitlines(), 1) if line.endswith("# wrong")]
    assert found == [(str(tmp_path / "caller"), line) for line in wrong] and len(wrong) == 2, done.stdout + done.stderr


def test_the_stub_has_what_the_module_has():
    stub = (ROOT / "python" / "nucdet" / "_nucdet.pyi").read_text(encoding="utf-8")
    for name in dir(nucdet._nucdet):
        if not name.startswith("__"):
            assert re.search(rf"^(def|class) {name}\b|^{name}:", stub, re.MULTILINE), name


def test_everything_is_described():
    for name in nucdet.__all__:
        thing = getattr(nucdet, name)
        if inspect.isclass(thing) and thing.__module__ == "nucdet._nucdet":
            continue  # in the stub
        if inspect.isclass(thing) or inspect.isfunction(thing):
            assert thing.__doc__, name


def test_another_processor(monkeypatch):
    _processor.check()
    monkeypatch.setattr(_processor, "INSTRUCTIONS", [*_processor.INSTRUCTIONS, "avx1024"])
    monkeypatch.setattr(_processor, "_flags", lambda: {*_built_for.INSTRUCTIONS, "fpu"})
    with pytest.raises(ImportError, match=r"with avx1024, which.*NUCDET_TOOLS_ARCH=x86-64"):
        _processor.check()


def test_properties_are_said_to_be_such():
    """In the stub: what cannot be set is no plain attribute there."""
    stub = (ROOT / "python" / "nucdet" / "_nucdet.pyi").read_text(encoding="utf-8")
    for kind in (nucdet.Score, nucdet.Matching, nucdet.ClassScore):
        body = re.search(rf"^class {kind.__name__}:\n((?:    .*\n|\n)*)", stub, re.MULTILINE)[1]
        for name, member in vars(kind).items():
            if isinstance(member, property):
                assert re.search(rf"    @property\n    def {name}\(self\)", body), (kind, name)


def test_version():
    header = (ROOT / "include" / "nucdet" / "version.hpp").read_text(encoding="utf-8")
    assert f'"{nucdet.__version__}"' in header


def test_importing_brings_in_little():
    """Neither PyTorch nor what slides need, before they are asked for."""
    code = "import sys, nucdet; print([m for m in ('torch', 'openslide_bin', 'PIL', 'scipy') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.parametrize(("page", "least"), [("README.md", 1), ("docs/python.md", 7)])
def test_documents_run(page, least, tissue, tmp_path, monkeypatch):
    """The blocks of a page, one after the other, in a folder with what docs/python.md begins with."""
    text = (ROOT / page).read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").symlink_to(tissue)
    image = sorted((tissue / "images").glob("*.png"))[0]
    (tmp_path / "image.png").write_bytes(image.read_bytes())
    (tmp_path / "image.csv").write_bytes((tissue / "annotations" / f"{image.stem}.csv").read_bytes())
    (tmp_path / "slide.tif").write_bytes((ROOT / "tests" / "fuzz" / "corpus" / "slide" / "jpeg.tif").read_bytes())
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(blocks) >= least
    names: dict[str, object] = {}
    for block in blocks:
        if "import torch" in block:
            try:
                import torch  # noqa: F401
            except ImportError:
                continue
        exec(compile(block, page, "exec"), names)  # noqa: S102
    if page == "README.md":  # whose last line looks at the slide
        assert same(names["nuclei"], nucdet.Detector().detect_slide("slide.tif", 0.25))
    assert page == "README.md" or pathlib.Path("found.geojson").is_file()


def test_the_tour(images, tissue, tmp_path):
    pytest.importorskip("matplotlib", reason="matplotlib is missing")
    command = [sys.executable, str(ROOT / "python" / "examples" / "tour.py"), str(images[0])]
    command += [str(tissue / "annotations" / f"{images[0].stem}.csv"), str(tmp_path / "tour.png")]
    subprocess.run(command, check=True, capture_output=True)
    assert (tmp_path / "tour.png").stat().st_size > 10_000
