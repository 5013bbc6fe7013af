"""Training: the program's, followed from Python."""

import os
import signal
import threading

import numpy as np
import pytest

import nucdet

SMALL = {"network": "micronet-lite", "base": 4, "iterations": 8, "validate_every": 4, "batch": 2, "crop": 64}


def bits(file):
    return file.read_bytes()


def test_weights_are_the_programs(program, tissue, tmp_path):
    words = ["--network", "micronet-lite", "--base", 4, "--iterations", 8, "--validate-every", 4, "--batch", 2, "--crop", 64]
    program("train", tissue, "--out", tmp_path / "program", "--quiet", *words)
    steps, validations, notes = [], [], []
    best = nucdet.train(
        tissue / "manifest.csv", out=tmp_path / "python", on_progress=steps.append, on_validation=validations.append,
        on_note=notes.append, **SMALL
    )
    assert [s.iteration for s in steps] == list(range(1, 9)) and all(s.images == 2 and s.loss > 0 for s in steps)
    assert [v.iteration for v in validations][-2:] == [4, 8] and best.f1 == max(v.f1 for v in validations)
    assert best.class_f1 is None
    ours, theirs = (nucdet.Detector(tmp_path / run / "best.safetensors") for run in ("python", "program"))
    image = nucdet.read_image(sorted((tissue / "images").iterdir())[0]).pixels
    assert np.array_equal(ours.maps(image)["map"], theirs.maps(image)["map"])
    assert ours.metadata["network.base"] == "4"


def test_an_exception_ends_it_and_resume_goes_on(tissue, tmp_path):
    def stop(step):
        if step.iteration == 3:
            raise LookupError("enough")

    with pytest.raises(LookupError, match="enough"):
        nucdet.train(tissue, out=tmp_path / "stopped", on_progress=stop, **SMALL)
    assert (tmp_path / "stopped" / "last.safetensors").is_file()
    steps = []
    nucdet.train(tissue, out=tmp_path / "stopped", resume=True, on_progress=steps.append, **SMALL)
    assert steps[0].iteration == 4
    nucdet.train(tissue, out=tmp_path / "whole", **SMALL)
    assert bits(tmp_path / "stopped" / "best.safetensors") == bits(tmp_path / "whole" / "best.safetensors")


def test_ctrl_c_ends_it(tissue, tmp_path):
    timer = threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        nucdet.train(tissue, out=tmp_path / "run", **(SMALL | {"iterations": 100_000, "validate_every": 100_000}))
    assert (tmp_path / "run" / "last.safetensors").is_file()


def test_refused(tissue, tmp_path):
    with pytest.raises(TypeError, match="iteration"):
        nucdet.train(tissue, out=tmp_path / "a", iteration=3)
    with pytest.raises(TypeError, match="base"):
        nucdet.train(tissue, out=tmp_path / "a", base="wide")
    with pytest.raises(ValueError, match="preset|laptop"):
        nucdet.train(tissue, out=tmp_path / "a", preset="desktop")
    with pytest.raises(ValueError, match="base"):
        nucdet.train(tissue, out=tmp_path / "a", network="micronet", base=7)
    with pytest.raises(OSError):
        nucdet.train(tmp_path / "none", out=tmp_path / "a")
    assert "micronet-lite" in nucdet.network_names()
