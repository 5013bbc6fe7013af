"""Matching and scores."""

import itertools

import numpy as np
import pytest

import nucdet


def test_the_most_pairs_then_the_least_distance():
    random = np.random.default_rng(1)
    for _ in range(20):
        predicted, truth = random.uniform(0, 30, (4, 2)), random.uniform(0, 30, (4, 2))
        distances = np.hypot(*(predicted[:, None] - truth[None]).transpose(2, 0, 1))
        best = max(
            (sum(d <= 12 for d in ds), -sum(d for d in ds if d <= 12))
            for order in itertools.permutations(range(4))
            for ds in [[distances[i, j] for i, j in enumerate(order)]]
        )
        matching = nucdet.match(predicted, truth, gate=12)
        pairs, apart = matching.pairs
        assert matching.hits == best[0] and apart.sum() == pytest.approx(-best[1])
        assert np.allclose(distances[pairs[:, 0], pairs[:, 1]], apart) and (apart <= 12).all()
        assert (matching.false_alarms, matching.misses) == (4 - best[0], 4 - best[0])


def test_methods_differ():
    predicted, truth = [[0, 0], [10, 0]], [[9, 0], [22, 0]]
    assert nucdet.match(predicted, truth, 13).hits == 2
    assert nucdet.match(predicted, truth, 13, "greedy").hits == 1
    with pytest.raises(ValueError, match="hungarian"):
        nucdet.match(predicted, truth, 13, "nearest")
    with pytest.raises(ValueError, match="gate"):
        nucdet.match(predicted, truth, 0)


def test_scores_add_up():
    one = nucdet.score([[0, 0], [50, 50]], [[3, 4]])
    assert (one.hits, one.false_alarms, one.misses) == (1, 1, 0)
    assert (one.precision, one.recall, one.distance_mean) == (0.5, 1.0, 5.0)
    both = one + nucdet.score(np.empty((0, 2)), [[1, 1]])
    assert (both.hits, both.false_alarms, both.misses, both.f1) == (1, 1, 1, 0.5)
    assert sum([one, one], nucdet.Score()).hits == 2


def test_classes():
    truth = np.zeros(3, nucdet.NUCLEUS)
    truth["x"], truth["class"] = [0, 50, 100], [0, 1, -1]
    found = truth.copy()
    found["class"] = [0, 0, 1]
    score = nucdet.class_score(found, truth, 2)
    assert score.detection.hits == 3 and score.of(0).f1 == pytest.approx(2 / 3) and score.of(1).f1 == 0
    assert score.confusion[1, 0] == 1 and score.confusion[2, 1] == 1
    assert (score + score).detection.hits == 6
    again = nucdet.class_score(found, truth, 2, predicted_classes=[0, 1, 1])
    assert again.mean_f1 == 1


def test_what_are_no_points():
    for wrong in (np.zeros(3), np.zeros((3, 3)), np.zeros(2, [("a", float)])):
        with pytest.raises(ValueError, match="points"):
            nucdet.match(wrong, [[0, 0]])
    with pytest.raises(ValueError, match="finite"):
        nucdet.match([[np.nan, 0]], [[0, 0]])
