#!/usr/bin/env python3
"""Writes matching.csv: gated and ungated assignments by SciPy, for tests/match (Debian 12: python3-scipy 1.10).

Every row of kind `case` opens a case: its name, the gate, the pairs and their total distance of the gated assignment
(most pairs first, then the least distance), and the same of the ungated one of which pairs beyond the gate were then
dropped (-1 where equal distances leave it open which pairs that are). Rows `p,x,y` and `t,x,y` are its predicted and
true points.
"""
import csv
import os

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist


def gated(predicted, truth, gate):
    d = cdist(predicted, truth)
    big = 1e6  # more than all distances together: a pair beyond the gate is the last resort
    rows, columns = linear_sum_assignment(np.where(d <= gate, d, big))
    kept = d[rows, columns] <= gate
    return int(kept.sum()), float(d[rows, columns][kept].sum())


def ungated(predicted, truth, gate):
    d = cdist(predicted, truth)
    rows, columns = linear_sum_assignment(d)
    kept = d[rows, columns] <= gate
    return int(kept.sum()), float(d[rows, columns][kept].sum())


def cases():
    random = np.random.RandomState(7)
    scattered = lambda n, side: np.round(random.uniform(0, side, (n, 2)), 3)
    yield "sparse", 16, scattered(60, 350), scattered(50, 350)
    yield "dense", 16, scattered(150, 160), scattered(150, 160)
    yield "crowded", 16, scattered(200, 150), scattered(90, 150)
    yield "starved", 16, scattered(90, 150), scattered(200, 150)
    truth = scattered(120, 300)
    yield "moved", 12, np.round(truth + random.normal(0, 4, truth.shape), 3), truth
    yield "whole pixels", 6, np.round(scattered(150, 60)), np.round(scattered(150, 60))


with open(os.path.join(os.path.dirname(__file__), "matching.csv"), "w", newline="") as file:
    out = csv.writer(file, lineterminator="\n")
    for name, gate, predicted, truth in cases():
        pairs, total = gated(predicted, truth, gate)
        ungated_pairs, ungated_total = ungated(predicted, truth, gate)
        if name == "whole pixels":
            ungated_pairs, ungated_total = -1, 0.0
        out.writerow(["case", name, gate, pairs, f"{total:.9f}", ungated_pairs, f"{ungated_total:.9f}"])
        for kind, points in (("p", predicted), ("t", truth)):
            for x, y in points:
                out.writerow([kind, f"{x:g}", f"{y:g}"])
