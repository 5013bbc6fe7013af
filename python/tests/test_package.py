"""The package itself: types, import time, its documentation."""

import inspect
import pathlib
import re
import subprocess
import sys

import pytest
from conftest import ROOT

import nucdet


def test_types():
    pytest.importorskip("mypy", reason="mypy is missing")
    command = [sys.executable, "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml"), "--cache-dir", "/dev/null"]
    done = subprocess.run([*command, "-p", "nucdet"], cwd=ROOT / "python", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


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
    assert len(names["nuclei"]) == 0 or page != "README.md"  # of the slide, which is a speck
    assert page == "README.md" or pathlib.Path("found.geojson").is_file()


def test_the_tour(images, tissue, tmp_path):
    pytest.importorskip("matplotlib", reason="matplotlib is missing")
    command = [sys.executable, str(ROOT / "python" / "examples" / "tour.py"), str(images[0])]
    command += [str(tissue / "annotations" / f"{images[0].stem}.csv"), str(tmp_path / "tour.png")]
    subprocess.run(command, check=True, capture_output=True)
    assert (tmp_path / "tour.png").stat().st_size > 10_000
