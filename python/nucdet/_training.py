"""Weights from annotated images."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from . import _nucdet
from ._nucdet import network_names
from ._paths import Path, encoded, existing
from ._threads import team
from ._weights import default_weights

Told = TypeVar("Told")

__all__ = ["Step", "Validation", "network_names", "train"]


@dataclass(frozen=True)
class Step:
    """What a step of a training did."""

    iteration: int
    """From 1."""
    loss: float
    rate: float
    gradient_norm: float
    """Before clipping; 0 without."""
    seconds: float
    images: int


@dataclass(frozen=True)
class Validation:
    """What a validation found."""

    iteration: int
    loss: float
    f1: float
    """At the threshold, the mean of the data sets."""
    threshold: float
    """The least score."""
    xi: float
    """The least fraction of an image's highest response; 0: none."""
    best: bool
    """Of those so far: its weights are in best.safetensors."""
    sets: Sequence[tuple[str, float]]
    """F1 of each data set."""
    class_f1: float | None
    """Mean F1 of the classes; None without."""


def train(
    manifest: Path | Sequence[Path],
    *,
    out: Path,
    preset: Literal["laptop", "finetune", "paper"] = "laptop",
    weights: Path | None = None,
    resume: bool = False,
    threads: int | None = None,
    on_progress: Callable[[Step], object] | None = None,
    on_validation: Callable[[Validation], object] | None = None,
    on_note: Callable[[str], object] | None = None,
    **settings: Any,
) -> Validation:
    """Trains a network and gives its best validation; out / "best.safetensors" are its weights.

    manifest: a manifest.csv, or a folder of images with annotations beside them; or several. out: the folder of the run,
    with weights, a checkpoint and curves. preset: "laptop", "finetune" (a few images, from the weights that come along) or
    "paper". weights: to start from. resume: go on from the checkpoint in `out`. settings: what `nucdet train --help` lists,
    by its names: network, base, iterations, validate_every, batch, crop, rate, loss, label, seed, stain, jpeg, ... Other
    names have --split (train_split), --weights (set_weights), --initial (weights), --lambda (lambda_), --relative-threshold
    (relative) and --no-classes (classes=False); there is none for how it is
    computed (--device, --precision, --kernels, --exact, --no-fuse, --joint-statistics, --rank-patience): by one process, on
    the processor.

    on_progress is called after each step, on_validation after each validation, on_note with sentences on what was decided
    by itself. What one of them raises, and Ctrl-C, ends the training: between images while data are read or validated
    with, else after its step, with the checkpoint written first. A validation that was left is made by the run that resumes.
    Raises ValueError for settings that do not fit, TypeError for unknown ones, OSError for files.
    """
    manifests = [manifest] if isinstance(manifest, (str, os.PathLike)) else manifest
    if preset == "finetune" and weights is None:
        weights = default_weights()
    settings |= {"manifests": [existing(m) for m in manifests], "out": encoded(out), "resume": resume}
    if weights is not None:
        settings["weights"] = existing(weights)
    if settings.get("auxiliary"):
        settings["auxiliary"] = existing(settings["auxiliary"])
    best = _nucdet.train(
        preset,
        settings,
        team("train", threads),
        _with(Step, on_progress),
        _with(Validation, on_validation),
        on_note,
    )
    return Validation(**best)


def _with(kind: type[Told], told: Callable[[Told], object] | None) -> Callable[[dict[str, Any]], object] | None:
    """What is called with the members of what `told` is called with."""
    if told is None:
        return None
    hear = told
    return lambda members: hear(kind(**members))
