"""Label maps against their formulas."""

import numpy as np
import pytest

import nucdet

POINTS = np.array([[5.25, 7.5], [30.0, 2.0], [-3.0, 20.0], [18.5, 16.25]])
SHAPE = (24, 37)


def distances():
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    return np.hypot(x[..., None] - POINTS[:, 0], y[..., None] - POINTS[:, 1])


def test_proximity():
    nearest = distances().min(axis=2)
    for alpha, radius in ((3, 15), (1.5, 6)):
        wanted = np.where(nearest <= radius, np.expm1(alpha * (1 - nearest / radius)) / np.expm1(alpha), 0)
        drawn = nucdet.proximity_map(POINTS, SHAPE, alpha=alpha, radius=radius)
        assert drawn.dtype == np.float32 and drawn.shape == SHAPE and np.abs(drawn - wanted).max() < 2e-6
    assert nucdet.proximity_map([[4, 3]], (9, 9))[3, 4] == 1
    assert not nucdet.proximity_map([], (9, 9)).any()


def test_threads_are_counted_from_one():
    with pytest.raises(ValueError, match="disc_map: threads is 0"):
        nucdet.disc_map([], (8, 8), threads=0)


def test_the_same_for_any_threads():
    many = np.random.default_rng(2).uniform(0, 300, (500, 2))
    one = nucdet.proximity_map(many, (300, 300), threads=1)
    assert np.array_equal(one, nucdet.proximity_map(many, (300, 300), threads=3))


def test_density_and_disc():
    density = nucdet.gaussian_map([[40, 40], [50, 44]], (96, 96), sigma=3, scale=1)
    assert density.sum() == pytest.approx(2, rel=1e-3)
    assert np.array_equal(nucdet.disc_map(POINTS, SHAPE, radius=4) == 1, distances().min(axis=2) <= 4)


def test_classes():
    drawn = nucdet.class_map([[5, 5], [12, 5], [30, 5]], [0, 2, -1], (12, 40), radius=4)
    assert (drawn[5, 5], drawn[5, 12], drawn[5, 30], drawn[5, 20]) == (1, 3, 0, 0)
    named = nucdet.class_map([[5, 5], [12, 5], [30, 5]], ["a", "c", "?"], (12, 40), names=["a", "b", "c"], radius=4)
    assert np.array_equal(named, drawn)


def test_refused():
    for make in (
        lambda: nucdet.proximity_map(POINTS, (0, 5)),
        lambda: nucdet.proximity_map(POINTS, SHAPE, radius=-1),
        lambda: nucdet.gaussian_map(POINTS, SHAPE, sigma=0),
        lambda: nucdet.proximity_map([[np.inf, 0]], SHAPE),
        lambda: nucdet.class_map(POINTS, [0], SHAPE),
        lambda: nucdet.class_map(POINTS, [], SHAPE),
        lambda: nucdet.class_map(POINTS, None, SHAPE),
        lambda: nucdet.class_map(POINTS, ["a"] * 4, SHAPE),
        lambda: nucdet.class_map(POINTS, [0.5] * 4, SHAPE),
    ):
        with pytest.raises(ValueError):
            make()
