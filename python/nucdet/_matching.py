"""Which detections belong to which annotated nuclei, and how good that is."""

from typing import Literal

from numpy.typing import ArrayLike

from . import _nucdet
from ._nucdet import ClassScore, Matching, Score
from ._points import as_classes, as_points

Method = Literal["hungarian", "greedy", "ungated"]

__all__ = ["ClassScore", "Matching", "Score", "class_score", "match", "score"]


def match(predicted: ArrayLike, truth: ArrayLike, gate: float = 16, method: Method = "hungarian") -> Matching:
    """Pairs detections with annotated nuclei, one to one, at most `gate` pixels apart.

    predicted, truth: [N, 2] of x and y, or nuclei as Detector.detect gives them. method: "hungarian", the most pairs and of
    those the least total distance; "greedy", the nearest first; "ungated", the least total distance of all, then the gate.
    """
    return _nucdet.match(as_points(predicted), as_points(truth), gate, method)


def score(predicted: ArrayLike, truth: ArrayLike, gate: float = 16, method: Method = "hungarian") -> Score:
    """Hits, false alarms, misses, precision, recall, F1 and distances (pixels) of detections; scores add up with +."""
    return match(predicted, truth, gate, method).score


def class_score(
    predicted: ArrayLike,
    truth: ArrayLike,
    classes: int,
    *,
    predicted_classes: ArrayLike | None = None,
    truth_classes: ArrayLike | None = None,
    gate: float = 16,
) -> ClassScore:
    """How well `classes` classes are told apart: nuclei are matched first, then the classes of the pairs are compared.

    predicted_classes, truth_classes: numbers from 0, -1 where one is not known; None: the field class of the nuclei. A
    true nucleus of unknown class counts for detection only.
    """
    total = ClassScore(classes)
    total.add(match(predicted, truth, gate), as_classes(predicted_classes, predicted), as_classes(truth_classes, truth))
    return total
