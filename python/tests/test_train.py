"""Training: the program's, followed from Python."""

import _thread
import os
import re
import shutil
import signal
import sys
import threading
from pathlib import Path

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
    timer.daemon = True
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        nucdet.train(tissue, out=tmp_path / "run", **(SMALL | {"iterations": 100_000, "validate_every": 100_000}))
    assert (tmp_path / "run" / "last.safetensors").is_file()


def test_a_validation_that_was_left_is_made_by_the_run_that_resumes(tissue, tmp_path):
    told = []

    def follow(step):
        told.append(step.iteration)
        if told == [1, 2, 3, 4]:  # a validation comes next
            raise LookupError("enough")

    calls = {"on_progress": follow, "on_validation": lambda found: told.append(f"validation {found.iteration}")}
    with pytest.raises(LookupError, match="enough"):
        nucdet.train(tissue, out=tmp_path / "stopped", **calls, **SMALL)
    assert told == [1, 2, 3, 4]
    best = nucdet.train(tissue, out=tmp_path / "stopped", resume=True, **calls, **SMALL)
    assert told[4:] == ["validation 4", 5, 6, 7, 8, "validation 8"]
    assert best == nucdet.train(tissue, out=tmp_path / "whole", **SMALL)
    for name in ("best.safetensors", "last.safetensors", "log.csv"):
        assert bits(tmp_path / "stopped" / name) == bits(tmp_path / "whole" / name), name


def test_ctrl_c_is_heard_within_a_validation(tissue, tmp_path):
    """Another thread gives the signal as soon as this one has left the callback after which a validation begins. Threads
    are not made to take turns meanwhile, so that it comes to that when this one lets go of Python's lock, within an image."""
    step_four, validations = threading.Event(), []

    def interrupt():
        if step_four.wait(60):
            _thread.interrupt_main()

    def follow(step):
        if step.iteration == 4:
            step_four.set()

    turns = sys.getswitchinterval()
    thread = threading.Thread(target=interrupt, daemon=True)
    thread.start()
    sys.setswitchinterval(60)
    try:
        with pytest.raises(KeyboardInterrupt):
            nucdet.train(
                tissue, out=tmp_path / "run", validation_split="train", on_progress=follow,
                on_validation=validations.append, **SMALL
            )
    finally:
        sys.setswitchinterval(turns)
        thread.join(60)
    assert validations == [] and (tmp_path / "run" / "last.safetensors").is_file()


# Options of the program that have another name here, or none; the value is the name.
ELSEWHERE = {
    "split": "train_split",
    "weights": "set_weights",
    "initial": "weights",
    "lambda": "lambda_",
    "relative_threshold": "relative",
    "no_classes": "classes",
    "preset": None,  # arguments of train
    "threads": None,
    "device": None,  # it trains on the processor
    "precision": None,
    "kernels": None,
    "exact": None,
    "no_fuse": None,
    "joint_statistics": None,  # nor are there several ranks
    "rank_patience": None,
    "quiet": None,  # it prints nothing
    "json": None,
    "help": None,
    "config": None,
    "net": "network",  # its short form
}


def test_every_option_of_the_program_is_a_setting(program):
    options = {name.replace("-", "_") for name in re.findall(r"(?<![\w-])--([a-z][\w-]*)", program("train", "--help").split("Examples:")[0])}
    settings = nucdet._nucdet.training_settings()
    assert len(options) > 50 and set(ELSEWHERE) <= options | {"config"}
    for option in options:
        wanted = ELSEWHERE.get(option, option)
        assert wanted is None or wanted in settings, option


def test_settings_of_augmentation_and_loss(tissue, tmp_path):
    """As the checkpoint tells of them."""
    given = {
        "rotation": 10, "mirror": False, "elastic": 1, "scale_jitter": 0.1, "stain": 0.11, "tone": 0.12, "blur": 1.1,
        "sharpen": 1.2, "noise": 0.02, "resolution": 2, "jpeg": 40, "glass": 0.01, "margins": 0.02, "pen": 0.03, "dust": 0.05,
    }  # fmt: skip
    told = {"scale_jitter": "scale", "margins": "margin"}
    best = SMALL | {"iterations": 1, "validate_every": 1}
    nucdet.train(tissue, out=tmp_path / "run", lambda_=1.5, least_mean=0.125, **given, **best)
    metadata = nucdet.Detector(tmp_path / "run" / "best.safetensors").metadata
    said = re.sub(r" \(.*?\)", "", metadata["train.augmentation"]).split(", ")
    assert said[:-1] == [f"{told.get(name, name)} {value:g}" for name, value in given.items()]
    assert float(metadata["loss.lambda"]) == 1.5 and float(metadata["loss.least_mean"]) == 0.125
    with pytest.raises(ValueError, match="blur"):
        nucdet.train(tissue, out=tmp_path / "other", blur=-1, **SMALL)


def test_names_of_any_bytes(tissue, tmp_path):
    """Of folders, whose names come in notes and as names of sets."""
    folder = os.fsdecode(os.fsencode(tmp_path) + b"/kidney\xff")
    shutil.copytree(tissue, folder)
    notes, sets = [], []
    settings = SMALL | {"iterations": 1, "validate_every": 1}
    nucdet.train(
        [folder, tissue], out=tmp_path / "run", auxiliary=Path(folder), on_note=notes.append,
        on_validation=lambda v: sets.extend(v.sets), **settings
    )
    assert any(name == r"kidney\xff" for name, _ in sets), sets
    assert all(isinstance(note, str) for note in notes)


def test_refused(tissue, tmp_path):
    with pytest.raises(TypeError, match="iteration"):
        nucdet.train(tissue, out=tmp_path / "a", iteration=3)
    with pytest.raises(TypeError, match="base"):
        nucdet.train(tissue, out=tmp_path / "a", base="wide")
    with pytest.raises(ValueError, match="preset|laptop"):
        nucdet.train(tissue, out=tmp_path / "a", preset="desktop")
    with pytest.raises(ValueError, match="base"):
        nucdet.train(tissue, out=tmp_path / "a", network="micronet", base=7)
    with pytest.raises(FileNotFoundError):
        nucdet.train(tmp_path / "none", out=tmp_path / "a")
    assert "micronet-lite" in nucdet.network_names()
