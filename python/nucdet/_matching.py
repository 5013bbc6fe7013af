"""Which detections belong to which annotated nuclei, and how good that is."""

from collections.abc import Sequence
from typing import Literal

from numpy.typing import ArrayLike

from . import _nucdet
from ._annotations import Annotations
from ._classes import as_classes
from ._nucdet import ClassScore, Matching, Score
from ._points import as_points

Method = Literal["hungarian", "greedy", "ungated"]

__all__ = ["ClassScore", "Matching", "Score", "class_score", "match", "score"]


def match(
    predicted: ArrayLike,
    truth: ArrayLike | Annotations,
    gate: float = 16,
    method: Method = "hungarian",
    *,
    mpp: float | None = None,
) -> Matching:
    """Pairs detections with annotated nuclei, one to one, at most `gate` pixels apart.

    predicted: [N, 2] of x and y, or nuclei as Detector.detect gives them. truth: the same, or Annotations, whose regions
    and ignored areas say what counts: everything is matched, then a nucleus counts by its annotated centre, a detection
    as its nucleus does, and one without by its own centre, as `nucdet evaluate` has it.
    method: "hungarian", the most pairs and of those the least total distance; "greedy", the nearest first; "ungated", the
    least total distance of all, then the gate (of 5000 points at most; minutes then, without an ear for Ctrl-C).
    mpp: um a pixel: the gate and all distances are pixels of 0.25 um, as those of `nucdet evaluate` are; None: of the image.

    Raises ValueError for points that are not finite, for a gate that is not above 0, and for an mpp out of 0.1 to 1.5.
    """
    areas = truth if isinstance(truth, Annotations) else Annotations(as_points(truth))
    return _nucdet.match(as_points(predicted), areas.points, gate, method, mpp, areas.regions, areas.ignored)


def score(
    predicted: ArrayLike,
    truth: ArrayLike | Annotations,
    gate: float = 16,
    method: Method = "hungarian",
    *,
    mpp: float | None = None,
) -> Score:
    """Hits, false alarms, misses, precision, recall, F1 and distances of detections, as `match` pairs them.

    Scores of several images add up: sum(scores).
    """
    return match(predicted, truth, gate, method, mpp=mpp).score


def class_score(
    predicted: ArrayLike,
    truth: ArrayLike | Annotations,
    classes: int | None = None,
    *,
    names: Sequence[str] | None = None,
    predicted_classes: ArrayLike | None = None,
    truth_classes: ArrayLike | None = None,
    gate: float = 16,
    mpp: float | None = None,
) -> ClassScore:
    """How well classes are told apart: nuclei are matched first, then the classes of the pairs are compared.

    classes: how many there are; or names: what they are called, Detector.classes. predicted_classes, truth_classes: numbers
    from 0, -1 where one is not known, or names; None: the field class of the nuclei, or the Annotations' own. A true
    nucleus of unknown class, or of one that is not among the names, counts for detection only. gate, mpp: as in match.

    Raises ValueError where points have no classes and none are given, and as match does.
    """
    if classes is None:
        if names is None:
            raise ValueError("class_score: how many classes there are is not said: classes, or names=Detector.classes")
        classes = len(names)
    total = ClassScore(classes)
    total.add(
        match(predicted, truth, gate, mpp=mpp),
        as_classes("class_score: predicted", predicted_classes, predicted, names),
        as_classes("class_score: truth", truth_classes, truth, names),
    )
    return total
