#!/usr/bin/env python3
"""The work around the network beside SciPy and scikit-image: labels, peaks, matching, augmentation, normalisation, PNG.

    /usr/bin/python3 bench/peers/around.py build/bench/peer_around [--rounds 9] [--only peaks] [--json FILE]

Rounds alternate between the peers and ours; figures are medians. One thread is compared by processor time, the
steadier on a busy machine, and ours on two threads by the clock. Every result is compared too: the same map, the same
points, the same number of pairs and total distance. The second table says what each job takes of a training step (four
crops of 200x200) or of a detection (512x512): give their times for the network and machine in question.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
from scipy import ndimage, optimize, sparse, spatial
from skimage import feature, io

GATE, ALPHA, RADIUS = 16.0, 3.0, 15.0


def proximity(distance):
    return np.expm1(ALPHA * (1 - np.minimum(distance, RADIUS) / RADIUS)) / np.expm1(ALPHA)


def time_runs(work):
    """Microseconds (wall, processor) of a run, as peer_around takes them: warm, the mean of those in 20 ms."""
    work()
    wall, processor, runs = time.perf_counter(), time.process_time(), 0
    while runs == 0 or time.perf_counter() - wall < 0.02:
        work()
        runs += 1
    return 1e6 * (time.perf_counter() - wall) / runs, 1e6 * (time.process_time() - processor) / runs


class Worker:
    """Our program, asked job by job."""

    def __init__(self, program, folder):
        self.folder = folder
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self, job, threads):
        """Microseconds (wall, processor) of a job: its kind, then its arguments; arrays go through files."""
        kind, *arguments = job
        out = self.folder / "out"
        self.process.stdin.write(" ".join(map(str, [kind, threads, out, *arguments])) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().split()
        if len(answer) != 2:
            sys.exit(f"around.py: peer_around failed at: {' '.join(map(str, job))}")
        return tuple(map(float, answer))

    def result(self, dtype):
        return np.fromfile(self.folder / "out", dtype)

    def file(self, name, array):
        path = self.folder / name
        array.tofile(path)
        return path


class Row:
    """One job: ours, the peers' functions by name, and what must agree."""

    def __init__(self, name, job, peers, agrees, threads=(1, 2)):
        self.name, self.job, self.peers, self.agrees, self.threads = name, job, peers, agrees, threads
        self.ours = {t: [] for t in threads}
        self.times = {peer: [] for peer in peers}

    def round(self, worker):
        for threads in self.threads:
            self.ours[threads].append(worker.run(self.job, threads))
        for peer, work in self.peers.items():
            self.times[peer].append(time_runs(work))

    def report(self):
        wall, processor = 0, 1
        median = lambda samples, clock: statistics.median(sample[clock] for sample in samples)
        ratio = lambda peer, threads, clock: statistics.median(
            p[clock] / o[clock] for p, o in zip(self.times[peer], self.ours[threads]))
        return {
            "job": self.name,
            "ours_us": {"1": median(self.ours[1], processor),
                        **{str(t): median(self.ours[t], wall) for t in self.threads if t > 1}},
            "peers": {peer: {"us": median(self.times[peer], processor),
                             "times_ours": {"1": ratio(peer, 1, processor),
                                            **{str(t): ratio(peer, t, wall) for t in self.threads if t > 1}}}
                      for peer in self.peers},
        }


def label_rows(worker, random):
    size, count = 500, 500
    centres = random.uniform(0, size - 1, (count, 2))
    whole = np.round(centres)
    away = np.ones((size, size), bool)
    away[whole[:, 1].astype(int), whole[:, 0].astype(int)] = False
    pixels = np.stack(np.meshgrid(np.arange(size), np.arange(size)), -1).reshape(-1, 2)

    def transform():
        return proximity(ndimage.distance_transform_edt(away))

    def tree():
        distance, _ = spatial.cKDTree(centres).query(pixels, distance_upper_bound=RADIUS)
        return proximity(distance)

    def agrees():
        """SciPy's transform knows pixels only, so it is compared on rounded centres."""
        worker.run(("labels", worker.file("whole", whole), size, 1), 2)
        on_pixels = np.abs(worker.result(np.float32) - transform().ravel()).max()
        worker.run(("labels", worker.file("centres", centres), size, 1), 2)
        return max(on_pixels, np.abs(worker.result(np.float32) - tree()).max()) < 1e-5

    job = ("labels", worker.file("centres", centres), size, 1)
    return [Row("labels 500x500, 500 centres", job,
                {"SciPy distance transform, whole pixels": transform, "SciPy k-d tree": tree}, agrees)]


def response(random, size, count):
    centres = random.randint(size, size=(2, count))
    away = np.ones((size, size), bool)
    away[centres[1], centres[0]] = False
    cones = proximity(ndimage.distance_transform_edt(away))
    return (cones + random.normal(0, 0.01, (size, size))).astype(np.float32)


def peak_row(worker, name, image, radius, expect=None):
    def peaks():
        return feature.peak_local_max(image, min_distance=radius, threshold_abs=0.25, exclude_border=False)

    def highest():
        window = ndimage.maximum_filter(image, size=2 * radius + 1, mode="nearest")
        return np.argwhere((image == window) & (image > 0.25))

    job = ("peaks", worker.file(f"map{name}", image), len(image), radius)

    def agrees():
        worker.run(job, 2)
        ours = worker.result(np.float64).reshape(-1, 2)[:, ::-1]
        return sorted(map(tuple, ours)) == sorted(map(tuple, peaks()))

    return Row(f"peaks {len(image)}x{len(image)}, min_distance {radius}", job,
               {"scikit-image peak_local_max": peaks, "SciPy maximum_filter": highest}, agrees)


def peak_rows(worker, random):
    image = response(random, 2000, 4300)
    return [peak_row(worker, "noisy", image, radius) for radius in (3, 6, 10)]


def candidates(predicted, truth):
    return spatial.cKDTree(predicted).sparse_distance_matrix(spatial.cKDTree(truth), GATE, output_type="coo_matrix")


def pairs_of(predicted, truth):
    """Most pairs first, then least distance: what ours promises."""
    cost = spatial.distance.cdist(predicted, truth)
    cost = np.where(cost <= GATE, cost, 1e6)
    chosen = cost[optimize.linear_sum_assignment(cost)]
    return chosen[chosen <= GATE]


def matching_rows(worker, random):
    rows = []
    for side, count, dense in ((700, 1000, True), (2000, 1000, True), (632, 1000, False), (2000, 10000, False),
                               (6325, 100000, False)):
        truth = random.uniform(0, side, (count, 2))
        predicted = truth + random.normal(0, 3, truth.shape)
        predicted[: count // 12] = random.uniform(0, side, (count // 12, 2))
        predicted = np.ascontiguousarray(predicted[random.permutation(count)])

        def clipped(predicted=predicted, truth=truth):
            cost = np.minimum(spatial.distance.cdist(predicted, truth), GATE)
            return optimize.linear_sum_assignment(cost)

        def most_pairs(predicted=predicted, truth=truth):
            return pairs_of(predicted, truth)

        def alone(predicted=predicted, truth=truth):
            """Every row may take a column of its own, at a price that no distance outweighs."""
            near, n = candidates(predicted, truth), len(predicted)
            price = 2 * GATE * n
            graph = sparse.hstack([sparse.csr_matrix((near.data + 1e-9, (near.row, near.col)), near.shape),
                                   sparse.identity(n) * price], format="csr")
            rows, columns = sparse.csgraph.min_weight_full_bipartite_matching(graph)
            return rows[columns < n], columns[columns < n]

        job = ("matching", worker.file(f"predicted{side}_{count}", predicted),
               worker.file(f"truth{side}_{count}", truth))

        def agrees(job=job, predicted=predicted, truth=truth, dense=dense):
            worker.run(job, 1)
            pairs, distance = worker.result(np.float64)
            if dense:
                chosen = pairs_of(predicted, truth)
            else:
                rows, columns = alone(predicted, truth)
                chosen = np.linalg.norm(predicted[rows] - truth[columns], axis=1)
            return pairs == len(chosen) and abs(distance - chosen.sum()) < 1e-6 * max(1, chosen.sum())

        peers = {"SciPy dense, min(d, gate)": clipped, "SciPy dense, most pairs": most_pairs} if dense else {}
        if count <= 10000:
            peers["SciPy sparse"] = alone
        rows.append(Row(f"matching {count} in {side}x{side}", job, peers, agrees, threads=(1,)))
    return rows


def share_rows(worker, random):
    size = 512
    image = np.clip(0.7 + 0.1 * ndimage.gaussian_filter(random.normal(0, 6, (size, size, 3)), (3, 3, 0)), 0, 1)
    image = np.round(255 * image).astype(np.uint8)
    png = worker.folder / "image.png"
    io.imsave(str(png), image, check_contrast=False)
    floats = worker.file("image", (image / np.float32(255)).astype(np.float32))
    small = worker.file("small", random.uniform(0, 200, (80, 2)))

    def read():
        return io.imread(str(png)).astype(np.float32) / np.float32(255)

    def decoded():
        worker.run(("decode", png), 1)
        return np.array_equal(worker.result(np.float32), read().ravel())

    def normal():
        worker.run(("normalize", floats, size), 2)
        values = image.reshape(-1, 3) / 255
        wanted = (values - values.mean(0)) / np.maximum(values.std(0), 0.02)
        return np.abs(worker.result(np.float32) - wanted.ravel()).max() < 1e-4

    def whole():
        worker.run(("crops", floats, size), 2)
        return np.isfinite(worker.result(np.float32)).all()

    # The last element says what the job is part of.
    return [(Row("crops 4x200x200, every augmentation", ("crops", floats, size), {}, whole), "step"),
            (Row("labels 4x200x200, 80 centres", ("labels", small, 200, 4), {}, lambda: True), "step"),
            (Row("normalise 512x512", ("normalize", floats, size), {}, normal), "detection"),
            (peak_row(worker, "small", response(random, size, 270), 5), "detection"),
            (Row("PNG decode 512x512", ("decode", png), {"scikit-image imread": read}, decoded, (1,)), "detection")]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--only", default="", help="rows whose name holds this")
    parser.add_argument("--step", type=float, default=250, help="milliseconds of a training step")
    parser.add_argument("--detection", type=float, default=60, help="milliseconds of a detection")
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        worker, random = Worker(options.program, pathlib.Path(folder)), np.random.RandomState(1)
        rows = [(row, None) for make in (label_rows, peak_rows, matching_rows) for row in make(worker, random)]
        rows = [entry for entry in rows + share_rows(worker, random) if options.only in entry[0].name]
        for _ in range(options.rounds):
            for row, _ in rows:
                row.round(worker)
        wrong = [row.name for row, _ in rows if not row.agrees()]
        reports = [{**row.report(), "part_of": part, "agrees": row.name not in wrong} for row, part in rows]

    print("| job | ours, us: 1 thread | 2 threads | peer | us | times ours: 1 thread | 2 threads |")
    print("|---|---|---|---|---|---|---|")
    show = lambda numbers, threads, digits: f"{numbers[threads]:.{digits}f}" if threads in numbers else "-"
    for r in reports:
        for peer, p in (r["peers"] or {"-": None}).items():
            them = [f"{p['us']:.0f}", show(p["times_ours"], "1", 1), show(p["times_ours"], "2", 1)] if p else ["-"] * 3
            print("|", " | ".join([r["job"], show(r["ours_us"], "1", 0), show(r["ours_us"], "2", 0), peer, *them]), "|")
    wholes = {"step": options.step, "detection": options.detection}
    print(f"\n| job | part of | share of {options.step:g} or {options.detection:g} ms |\n|---|---|---|")
    for r in reports:
        if r["part_of"]:
            us = list(r["ours_us"].values())[-1]
            print(f"| {r['job']} | {r['part_of']} | {us / 10 / wholes[r['part_of']]:.1f} % |")
    if options.json:
        options.json.write_text(json.dumps({"rounds": options.rounds, "rows": reports}, indent=1) + "\n")
    if wrong:
        sys.exit("around.py: results differ: " + ", ".join(wrong))


if __name__ == "__main__":
    main()
