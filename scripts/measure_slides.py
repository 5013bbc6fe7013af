#!/usr/bin/env python3
"""Measures the program on whole slides and prints a Markdown table, each figure with the command that gave it.

usage: measure_slides.py PROGRAM [MAKE_GIANT_SLIDE] [--rows LIST] [--full] [--threads N] [--data DIR] [--out DIR]
       [--json FILE]

  memory   the most memory of the default network on 100,000 x 80,000 pixels, over four tiles and over 64
  tiles    seconds a mm2 of the program over those of the network alone on a map of 1024 x 1024 pixels: what reading,
           resampling, margins, peaks and the journal add. Two regions of tissue are taken from each other, so that
           starting falls out; in turns with `nucdet bench`, medians
  growth   mm2 a second over 1, 10 and 100 mm2 of tissue by the smallest network that the program has, so that what is
           around the network counts most; medians, less the time of one tile, so that starting falls out
  glass    a slide of 500 mm2, 70 % of it glass, over one that is tissue alone, as much as the first has
  kills    30 kills at random moments: the results' bytes beside those of a run that nobody killed
  listed   1000 images of which 990 are done: how long the call takes for the ten, and again for none
  real     the slides in --data's folder wsi by other threads, queues, shards, regions, after a kill, by other tiles

--rows names some of them. --full adds what takes long: 1000 mm2 to `growth`, a whole slide to `memory`.
MAKE_GIANT_SLIDE is the test suite's; without one it is compiled (g++, libjpeg). It takes about ten minutes, and its
figures are worth something only on an idle machine. Exits with 1 if bytes differ or a command fails.
"""
import argparse
import json
import os
import pathlib
import random
import shlex
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

from measuring import in_folder, measure_rows

ROOT = pathlib.Path(__file__).resolve().parent.parent
MAP, UM = 1024, 0.25
SLIDE = (100000, 80000)
CORNER = 14  # tiles: of regions, right of which and below 8 more lie
KILLS = 30
GROWTH_TILE = 1024  # reference pixels: small enough that 1 mm2 has many


def mm2(pixels):
    return pixels * (1e-3 * UM) ** 2


class Run:
    """What a command took; `killed_after` seconds it is killed."""

    def __init__(self, command, killed_after=None):
        self.command = [str(part) for part in command]
        with tempfile.TemporaryFile("w+") as said:
            start = time.perf_counter()
            process = subprocess.Popen(self.command, stdout=said, stderr=subprocess.STDOUT)
            if killed_after is not None:
                time.sleep(killed_after)
                os.kill(process.pid, signal.SIGKILL)  # not process.kill(), which takes its status away if it has ended
            _, status, usage = os.wait4(process.pid, 0)
            self.seconds = time.perf_counter() - start
            process.returncode = self.code = os.waitstatus_to_exitcode(status)
            said.seek(0)
            self.said = said.read()
        self.peak_mb = usage.ru_maxrss * 1024 / 1e6
        if self.code != 0 and not (killed_after is not None and self.code == -9):
            sys.exit(f"{shlex.join(self.command)}: exit code {self.code}: {self.said.strip()[-500:]}")

    def nuclei(self):
        """That a detection said it found."""
        return int(self.said.split()[-1])


class Measures:
    """The rows, and what they share."""

    def __init__(self, options):
        self.options, self.out, self.rows, self.wrong = options, options.out, [], []
        self.sides = {}  # of tiles, by network
        self.threads = ["--threads", options.threads] if options.threads else []

    def row(self, what, figure, how, **numbers):
        """`how` is the command, without the folders, or how the figure follows from others."""
        if not isinstance(how, str):
            how = f"`{shlex.join(map(str, how))}`"
            for folder, name in ((f"{self.options.program}", "nucdet"), (f"{self.out}/", ""), (f"{ROOT}/", "")):
                how = how.replace(folder, name)
        self.rows.append({"what": what, "figure": figure, "how": how, **numbers})
        print(f"| {what} | {figure} | {how} |", flush=True)

    # ---- what is measured on -----------------------------------------------------------------------------------------

    def slide(self, name, *arguments):
        path = self.out / f"{name}.tif"
        if not path.exists():
            Run([self.options.make, path, *arguments])
        return path

    def giant(self):
        return self.slide("giant", *SLIDE)

    def small_network(self):
        """The smallest that is built in, trained for seconds: it finds about as many nuclei as there are."""
        weights = self.out / "small" / "best.safetensors"
        if not weights.exists():
            program, tissue = self.options.program, self.out / "tissue"
            Run([program, "synth", "--out", tissue, "--images", 10, "--size", 128, "--seed", 7])
            Run([program, "train", tissue, "--out", self.out / "small", "--base", 4, "--iterations", 300,
                 "--validate-every", 100, "--crop", 64, "--batch", 4, "--rate", 3e-3, "--optimizer", "adamw",
                 "--device", "cpu", "--quiet"])
        return ["--model", weights]

    def command(self, images, *arguments, out="found"):
        return [self.options.program, "detect", images, *arguments, "--out", self.out / out, "--device", "cpu",
                "--quiet", *self.threads]

    def detect(self, images, *arguments, **where):
        shutil.rmtree(self.out / where.get("out", "found"), ignore_errors=True)
        return Run(self.command(images, *arguments, **where))

    def tile(self, model):
        """Pixels along the tiles that the program takes for a network."""
        key = tuple(map(str, model))
        if key not in self.sides:
            self.detect(self.slide("probe", 600, 400, "tissue"), *model)
            self.sides[key] = json.loads((self.out / "found" / "probe.json").read_text(encoding="utf-8"))["tile"]
        return self.sides[key]

    def square(self, slide, tiles, model, corner=CORNER):
        """Tiles x tiles, all of which are looked at, and none beside them: a nucleus may lie half a pixel beside its
        tile."""
        side = self.tile(model)
        region = f"{corner * side + 2},{corner * side + 2},{tiles * side - 4},{tiles * side - 4}"
        return self.detect(slide, *model, "--tissue", "all", "--region", region)

    # ---- rows --------------------------------------------------------------------------------------------------------

    def memory(self):
        model = ["--model", self.options.model]
        few, many = (self.square(self.giant(), n, model) for n in (2, 8))
        self.row("peak memory, the default network, 4 tiles and 64 of 100,000 x 80,000 pixels",
                 f"{few.peak_mb:.0f} MB, {many.peak_mb:.0f} MB", many.command, peak_mb=[few.peak_mb, many.peak_mb])
        if self.options.full:
            whole = self.detect(self.giant(), *model)
            self.row("the whole slide, 30 % tissue", f"{whole.seconds:.0f} s, {whole.peak_mb:.0f} MB", whole.command,
                     seconds=whole.seconds, peak_mb=whole.peak_mb)

    def tiles(self):
        model = ["--model", self.options.model]
        bench = [self.options.program, "bench", *model, "--height", MAP, "--width", MAP, "--batch", 1, "--crop", 16,
                 "--device", "cpu", "--json", "-", *self.threads]
        program, network = [], []
        for _ in range(3):
            small, run = (self.square(self.giant(), n, model) for n in (2, 5))
            program.append((run.seconds - small.seconds) / mm2((5**2 - 2**2) * self.tile(model)**2))
            done = subprocess.run(list(map(str, bench)), capture_output=True, text=True, check=True)
            forward = next(r["milliseconds"] for r in json.loads(done.stdout) if r["what"] == "forward")
            network.append(1e-3 * forward / mm2(MAP**2))
        slow, fast = statistics.median(program), statistics.median(network)
        self.row("seconds a mm2 of slide, 25 tiles less 4", f"{slow:.3f}", run.command, seconds_per_mm2=program)
        self.row("seconds a mm2 of the network alone, 1024 x 1024", f"{fast:.3f}", bench, seconds_per_mm2=network)
        self.row("the first over the second", f"{slow / fast:.2f}", "medians of 3 in turns", ratio=slow / fast)

    def growth(self):
        areas = [1, 10, 100] + ([1000] if self.options.full else [])
        model = [*self.small_network(), "--tile", GROWTH_TILE]
        tiles = [1] + [round((area**0.5) / (1e-3 * UM) / GROWTH_TILE) for area in areas]
        slide = self.slide(f"tissue-{max(areas)}mm2", *[(max(tiles) + 2) * GROWTH_TILE] * 2, "tissue")
        runs = {n: [] for n in tiles}
        for n in [*tiles[:3] * 3, *tiles, *tiles[:-1], *tiles[:3] * 2]:  # the largest in the middle: machines drift
            runs[n].append(self.square(slide, n, model, corner=0))
        seconds = {n: statistics.median(run.seconds for run in runs[n]) for n in tiles}
        speed = {n: mm2((n**2 - 1) * GROWTH_TILE**2) / (seconds[n] - seconds[1]) for n in tiles[1:]}  # without starting
        for n in tiles[1:]:
            run, size = runs[n][0], mm2((n * GROWTH_TILE) ** 2)
            self.row(f"growth, {size:.4g} mm2 of tissue",
                     f"{speed[n]:.3f} mm2/s, {speed[n] / speed[tiles[1]]:.2f} of the first; {run.nuclei()} nuclei, "
                     f"{run.peak_mb:.0f} MB", run.command, mm2_per_second=speed[n], nuclei=run.nuclei(),
                     seconds=[r.seconds for r in runs[n]], peak_mb=run.peak_mb)

    def glass(self):
        told = subprocess.run([self.options.program, "slide", "tissue", self.giant(), "--json"], capture_output=True,
                              text=True, check=True)
        tissue, whole = float(json.loads(told.stdout)["tissue_mm2"]), mm2(SLIDE[0] * SLIDE[1])
        side = int(tissue**0.5 / (1e-3 * UM))
        alone = self.slide("tissue-alone", side, side, "tissue")
        with_glass = self.detect(self.giant(), *self.small_network())
        without = self.detect(alone, *self.small_network(), "--tissue", "all")
        ratio = with_glass.seconds / without.seconds
        for what, run in ((f"a slide with glass, {whole:.0f} mm2 of which {tissue:.0f} are tissue", with_glass),
                          (f"{mm2(side**2):.0f} mm2 of tissue alone", without)):
            self.row(what, f"{run.seconds:.1f} s, {run.nuclei()} nuclei", run.command, seconds=run.seconds,
                     nuclei=run.nuclei())
        self.row("the first over the second", f"{ratio:.2f}", "one after the other", ratio=ratio)

    def kills(self):
        chance = random.Random(7)
        slide = self.slide("killed", 8000, 6000)
        arguments = [*self.small_network(), "--tile", 256]
        whole = self.detect(slide, *arguments, out="whole")
        shutil.rmtree(self.out / "killed", ignore_errors=True)
        kills, finished, differ = 0, 0, 0

        def compare():
            return any((self.out / "whole" / name).read_bytes() != (self.out / "killed" / name).read_bytes()
                       for name in ("killed.csv", "killed.json"))
        last = None
        while kills < KILLS or last != 0:
            moment = chance.uniform(0, whole.seconds / 4) if kills < KILLS else None
            run = Run(self.command(slide, *arguments, out="killed"), moment)
            last = run.code
            if last != 0:
                kills += 1
            else:
                finished, differ = finished + 1, differ + compare()
                if kills < KILLS:
                    shutil.rmtree(self.out / "killed")
        if differ:
            self.wrong.append(f"{differ} results differ from those of a run that was not killed")
        self.row(f"{kills} kills within {finished} runs of {whole.seconds:.1f} s, each called again until it was done",
                 f"{finished - differ} of {finished} with the same bytes", run.command,
                 kills=kills, finished=finished, differ=differ)

    def listed(self):
        count, done = 1000, 990
        many = self.out / "many"
        if not many.exists():
            Run([self.options.program, "synth", "--out", many, "--images", count, "--size", 128, "--seed", 3])
        images = sorted(p.name for p in (many / "images").iterdir())[:count]
        for name, of in (("all", images), ("done", images[:done])):
            (many / f"{name}.lst").write_text("".join(f"images/{i}\n" for i in of), encoding="utf-8")
        arguments = [*self.small_network(), "--mpp", UM, "--skip-existing"]
        first = self.detect(many / "done.lst", *arguments, out="listed")
        rest, again = (Run(self.command(many / "all.lst", *arguments, out="listed")) for _ in range(2))
        self.row(f"{count} listed, {done} done; and again, all done",
                 f"{rest.seconds:.2f} s; {again.seconds:.2f} s (the {done}: {first.seconds:.1f} s)", rest.command,
                 seconds=[first.seconds, rest.seconds, again.seconds])


    # ---- real slides -------------------------------------------------------------------------------------------------

    def real(self):
        slides = sorted((self.options.data / "wsi").glob("*.svs")) if self.options.data else []
        if not slides:
            print("| real slides | SKIPPED: no --data with a folder wsi | |", flush=True)
            return
        shutil.rmtree(self.out / "shards", ignore_errors=True)
        for slide in slides:
            self.one_real(slide)
        listed = self.out / "real.csv"
        sizes = (f"{s},,{self.size_of(s)[1] if self.size_of(s) else ''}\n" for s in slides)
        listed.write_text("image,annotations,mpp\n" + "".join(sizes), encoding="utf-8")
        for part in (1, 2):
            Run(self.command(listed, "--shard", f"{part}/2", out="shards"))
        same = [self.nuclei_of(s, "shards") == self.nuclei_of(s, f"real-{s.stem}") for s in slides]
        self.told("two shards of all", same, "detect real.csv --shard 1/2")

    def one_real(self, slide):
        """`whole` and what must have its bytes, `exact` likewise."""
        def by(*arguments, out="again"):
            run = self.detect(slide, *self.size_of(slide), *arguments, out=out)
            return self.nuclei_of(slide, out), run
        whole, run = by(out=f"real-{slide.stem}")
        same = [by(*a.split())[0] == whole for a in ("--threads 1", "--threads 3", "--ahead 1", "--ahead 9")]
        self.told(f"{slide.name}, {len(whole)} nuclei: other threads and queues", same, run.command)
        shutil.rmtree(self.out / "again")
        Run(self.command(slide, *self.size_of(slide), out="again"), 0.6 * run.seconds)
        resumed = Run(self.command(slide, *self.size_of(slide), out="again"))
        self.told(f"{slide.name}: killed and resumed", [self.nuclei_of(slide, "again") == whole], resumed.command)
        regions = ((301, 217, 900, 1100), (0, 0, 777, 2000), (1500, 700, 333, 800))
        same = []
        for x, y, width, height in regions:
            found, part = by("--region", f"{x},{y},{width},{height}")
            inside = [n for n in whole if x - 0.5 <= float(n[0]) < x + width - 0.5
                      and y - 0.5 <= float(n[1]) < y + height - 0.5]
            same.append(found == inside)
        self.told(f"{slide.name}: regions", same, part.command)
        exact, run = by("--exact")
        same = [sorted(by("--exact", "--tile", tile)[0]) == sorted(exact) for tile in (512, 2048)]
        self.told(f"{slide.name}: tiles of other sides, plain sums", same, [*run.command, "--tile", 512])

    def size_of(self, slide):
        """Of a slide that does not say how large its pixels are: 1 um, as in docs/cohorts.md."""
        told = subprocess.run([self.options.program, "slide", "info", slide], capture_output=True, text=True, check=True)
        return ["--mpp", 1] if "not known" in told.stdout else []

    def nuclei_of(self, slide, out):
        lines = (self.out / out / f"{slide.stem}.csv").read_text(encoding="utf-8").splitlines()
        return [tuple(line.split(",")) for line in lines[1:]]

    def told(self, what, same, command):
        if not all(same):
            self.wrong.append(f"{what}: {same.count(False)} of {len(same)} differ")
        self.row(what, f"{sum(same)} of {len(same)} the same", command, same=same)


ROWS = ("memory", "tiles", "growth", "glass", "kills", "listed", "real")


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("make", type=pathlib.Path, nargs="?")
    parser.add_argument("--model", type=pathlib.Path, default=ROOT / "models" / "nuclei-he.safetensors",
                        help="the network of `memory` and `tiles`")
    parser.add_argument("--data", type=pathlib.Path, default=os.environ.get("NUCDET_DATA"),
                        help="folder whose wsi/*.svs are the slides of `real`; default: NUCDET_DATA")
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=ROWS)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--threads", type=int, help="default: the program's own")
    parser.add_argument("--out", type=pathlib.Path, help="folder that keeps slides and results; default: it goes away")
    parser.add_argument("--json", type=pathlib.Path, help="file for the numbers")
    options = parser.parse_args()
    options.program = options.program.resolve()
    if not os.access(options.program, os.X_OK):
        parser.error(f"{options.program} is no program")
    return options


def measure(options):
    if options.make is None:
        options.make = options.out / "make_giant_slide"
        source = ROOT / "tests" / "slide" / "make_giant_slide.cpp"
        Run([os.environ.get("CXX", "g++"), "-std=c++20", "-O2", source, "-ljpeg", "-o", options.make])
    options.make = options.make.resolve()
    measure_rows(Measures(options), options.rows, options.json)


if __name__ == "__main__":
    in_folder(parse(), measure)
