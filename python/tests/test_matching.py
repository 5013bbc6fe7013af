"""Matching and scores."""

import itertools
import json
import pickle

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
    assert sum([one, one]).hits == 2 and sum([one, one], nucdet.Score()).hits == 2
    with pytest.raises(TypeError):
        one + 1
    again = pickle.loads(pickle.dumps(both))
    assert repr(again) == repr(both) == "Score(hits=1, false_alarms=1, misses=1, f1=0.5)"
    assert again.distance_mean == 5 and again.distance_deviation == 0


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
    both = pickle.loads(pickle.dumps(sum([score, again])))
    assert np.array_equal(both.confusion, score.confusion + again.confusion) and both.classes == 2
    assert repr(again).startswith("ClassScore(classes=2, mean_f1=1, ")


def test_names_of_classes():
    found = np.zeros(3, nucdet.NUCLEUS)
    found["x"], found["class"] = [0, 50, 100], [0, 0, 1]
    truth = nucdet.Annotations([[0, 0], [50, 0], [100, 0]], ["a", "b", "somebody's"])
    score = nucdet.class_score(found, truth, names=["a", "b"])
    assert score.of(0).f1 == pytest.approx(2 / 3) and score.of(1).f1 == 0 and score.confusion[2, 1] == 1
    assert nucdet.class_score([], nucdet.Annotations([]), names=["a", "b"]).detection.misses == 0
    for wrong, words in (
        (lambda: nucdet.class_score(found, truth), "how many classes"),
        (lambda: nucdet.class_score(found, truth, 2), "names="),
        (lambda: nucdet.class_score(found, truth.points, 2), "truth: no classes"),
        (lambda: nucdet.class_score(truth.points, truth, names=["a", "b"]), "predicted: no classes"),
        (lambda: nucdet.class_score(found, truth.points, 2, truth_classes=[0]), "3 points"),
        (lambda: nucdet.class_score(found, truth.points, 2, truth_classes=[0.5] * 3), "whole numbers"),
    ):
        with pytest.raises(ValueError, match=words):
            wrong()


SQUARE = np.array([[0, 0], [60, 0], [60, 112], [0, 112]], float)
HOLE = np.array([[20, 20], [50, 20], [50, 60], [20, 60]], float)


def test_what_counts():
    truth = nucdet.Annotations([[59, 5], [70, 5], [25, 30], [5, 5]], ["a", "b", "a", "b"], regions=[[SQUARE]], ignored=[[HOLE]])
    predicted = np.array([[62.0, 5], [5, 5], [30, 30], [69, 5], [10, 90], [90, 90]])
    matching = nucdet.match(predicted, truth)
    pairs, apart = matching.pairs
    assert pairs.tolist() == [[0, 0], [1, 3]] and apart.tolist() == [3, 0]
    assert [c.tolist() for c in matching.counted] == [[0, 1, 4], [0, 3]]
    assert (matching.predicted, matching.truth, matching.false_alarms, matching.misses) == (3, 2, 1, 0)
    again = pickle.loads(pickle.dumps(matching))
    assert again.pairs[0].tolist() == pairs.tolist() and repr(again) == repr(matching) and again.score.f1 == matching.score.f1
    classes = nucdet.class_score(predicted, truth, names=["a", "b"], predicted_classes=[0, 0, 1, 1, 1, 0])
    assert (classes.of(0).hits, classes.of(1).misses, classes.of(1).false_alarms) == (1, 1, 1)
    assert nucdet.match(predicted, truth.points).counted[0].tolist() == list(range(6))


@pytest.mark.parametrize("mpp", [0.25, 0.4])
def test_the_programs_scores(mpp, program, tissue, tmp_path):
    """What the network found is not asked: annotations that were shaken are the predictions."""
    random = np.random.default_rng(5)
    (tmp_path / "found").mkdir()
    total, rows = nucdet.Score(), ["image,annotations,mpp"]
    for image in sorted((tissue / "images").glob("*.png"))[:30]:
        points = nucdet.read_annotations(tissue / "annotations" / f"{image.stem}.csv").points
        truth = nucdet.Annotations(points, regions=[[SQUARE]], ignored=[[HOLE]])
        shaken = points[1:] + random.normal(0, 7, points[1:].shape)
        found = np.clip(np.concatenate([shaken, random.uniform(0, 111, (5, 2))]), 0, 111)
        nucdet.write_annotations(tmp_path / f"{image.stem}.geojson", truth)
        nucdet.write_annotations(tmp_path / "found" / f"{image.stem}.csv", found)
        rows.append(f"{image},{image.stem}.geojson,{mpp}")
        total += nucdet.score(found, truth, mpp=mpp)
    (tmp_path / "manifest.csv").write_text("\n".join(rows) + "\n")
    words = ["--predictions", tmp_path / "found", "--split", "", "--out", tmp_path / "scores", "--quiet"]
    program("evaluate", tmp_path / "manifest.csv", *words)
    wanted = json.loads((tmp_path / "scores" / "scores.json").read_text())["pooled"]
    assert (wanted["hits"], wanted["truths"], wanted["detections"]) == (
        total.hits,
        total.hits + total.misses,
        total.hits + total.false_alarms,
    )
    assert total.hits > 10 and total.misses > 3 and total.false_alarms > 3
    assert wanted["f1"] == pytest.approx(total.f1) and wanted["distance_mean"] == pytest.approx(total.distance_mean)
    with pytest.raises(ValueError, match="um"):
        nucdet.score([], [], mpp=4)


def test_what_are_no_points():
    for wrong in (np.zeros(3), np.zeros((3, 3)), np.zeros(2, [("a", float)])):
        with pytest.raises(ValueError, match="points"):
            nucdet.match(wrong, [[0, 0]])
    with pytest.raises(ValueError, match="finite"):
        nucdet.match([[np.nan, 0]], [[0, 0]])
