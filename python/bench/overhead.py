#!/usr/bin/env python3
"""What Python costs: overhead.py [--size 512] [--rounds 60] [--threads 1]

Prints the time of a detection of NumPy's array and how much of it passes outside of the library; the time of `import nucdet`
over `import numpy`; and images a second by 1 and by 4 Python threads that share a detector.
"""

import argparse
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

import nucdet


def tissue(size):
    """Pink, with dots of purple."""
    random = np.random.default_rng(1)
    nuclei = nucdet.disc_map(random.uniform(0, size, (size * size // 1500, 2)), (size, size), radius=8)
    image = np.where(nuclei[..., None] > 0, np.array([90, 60, 140]), np.array([235, 180, 210]))
    return np.clip(image + random.normal(0, 8, image.shape), 0, 255).astype(np.uint8)


def milliseconds(work):
    begin = time.perf_counter()
    work()
    return 1e3 * (time.perf_counter() - begin)


def overhead(size, rounds, threads):
    """A call's time less what passes between the library's first and last word on its one tile."""
    detector, image = nucdet.Detector(threads=threads), tissue(size)
    whole, around, told = [], [], []
    for turn in range(rounds + 3):
        told.clear()
        begin = time.perf_counter()
        detector.detect(image, on_progress=lambda done, of: told.append(time.perf_counter()))
        end = time.perf_counter()
        if turn >= 3:
            whole.append(1e3 * (end - begin))
            around.append(1e3 * ((end - begin) - (told[-1] - told[0])))
    both = statistics.median(whole), statistics.median(around)
    print(f"{size} x {size}, {detector.threads} threads: {both[0]:.2f} ms, of which {both[1]:.3f} ms "
          f"({100 * both[1] / both[0]:.2f} %) are not the library's, medians of {rounds}")  # fmt: skip


def importing(rounds=15):
    times = {code: [] for code in ("import numpy", "import numpy, nucdet")}
    for _ in range(rounds):
        for code, all_of_it in times.items():
            all_of_it.append(milliseconds(lambda code=code: subprocess.run([sys.executable, "-c", code], check=True)))
    numpy, both = (statistics.median(t) for t in times.values())
    print(f"import nucdet: {both - numpy:.0f} ms over numpy's {numpy:.0f} ms")


def throughput(size, seconds=6.0):
    detector, image = nucdet.Detector(threads=1), tissue(size)
    rates = {}
    for workers in (1, 4, 1, 4):
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(detector.detect, [image] * workers))
            end, begin = time.perf_counter() + seconds, time.perf_counter()

            def work(_, end=end):
                done = 0
                while time.perf_counter() < end:
                    detector.detect(image)
                    done += 1
                return done

            done = sum(pool.map(work, range(workers)))
            rates.setdefault(workers, []).append(done / (time.perf_counter() - begin))
    one, four = max(rates[1]), max(rates[4])
    print(f"{size} x {size}, a thread a call: {one:.2f} images/s by 1 Python thread, {four:.2f} by 4: {four / one:.2f} times")


parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--size", type=int, default=512)
parser.add_argument("--rounds", type=int, default=60)
parser.add_argument("--threads", type=int, default=1)
arguments = parser.parse_args()
overhead(arguments.size, arguments.rounds, arguments.threads)
importing()
throughput(arguments.size)
