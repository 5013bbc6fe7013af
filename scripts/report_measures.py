"""What scripts/report_accuracy.py measures: a Side is a program with its weights, a Bench what all measures share;
below them a function for each group of rows, which takes both and returns {part: value}."""
import dataclasses
import hashlib
import json
import resource
import statistics
import subprocess
import sys
import time

import numpy as np

import report_images as images
from report_images import Field

SLIDE_SCALE = 2  # CMU-1-Small-Region: 0.499 um a pixel, to 0.25
TIMED_IMAGES, TIMED_THREADS = 20, 2


class Skip(Exception):
    """Why a row is left out."""


def weights_of(program):
    """Those the program takes by itself: beside it or above."""
    for folder in program.resolve().parents:
        for place in ("share/nucdet/models", "models"):
            if (folder / place / "nuclei-he.safetensors").is_file():
                return folder / place / "nuclei-he.safetensors"
    sys.exit(f"{program}: no weights beside it or above: name them with --model or --model-before")


class Side:
    """A program with its weights."""

    def __init__(self, name, program, model, bench):
        self.name, self.program, self.bench, self.scores = name, program.resolve(), bench, {}
        self.model = (model or weights_of(program)).resolve()
        for path in (self.program, self.model):
            if not path.is_file():
                sys.exit(f"{path} is not there")

    def run(self, *arguments):
        command = [str(a) for a in (self.program, *arguments, "--quiet")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)}: exit {done.returncode}: {done.stderr.strip()}")

    def detect(self, inputs, scale, threads=None):
        """{stem: points}, of an image or a folder."""
        out = self.bench.folder("found")
        threads = threads or self.bench.options.threads
        self.run("detect", inputs, "--model", self.model, "--scale", scale, "--out", out, "--threads", threads)
        names = sorted(p.stem for p in (inputs.iterdir() if inputs.is_dir() else [inputs]))
        return {name: images.read_points(out / f"{name}.csv") for name in names}

    def evaluate(self, manifest, split, model=None):
        """scores.json of a manifest; each is computed once."""
        key = manifest, split, model or self.model
        if key not in self.scores:
            out = self.bench.folder("scores")
            self.run("evaluate", manifest, "--model", key[2], "--split", split, "--out", out, "--threads",
                     self.bench.options.threads)
            self.scores[key] = json.loads((out / "scores.json").read_text(encoding="utf-8"))
        return self.scores[key]

    def compare(self, manifest, found, gate):
        """scores.json of points, against those of the manifest."""
        out, predictions = self.bench.folder("scores"), self.bench.folder("predictions")
        for name, points in found.items():
            images.write_points(predictions / f"{name}.csv", points)
        self.run("evaluate", manifest, "--predictions", predictions, "--split", "", "--gate", gate, "--out", out)
        return json.loads((out / "scores.json").read_text(encoding="utf-8"))

    def described(self):
        digest = hashlib.sha256(self.model.read_bytes()).hexdigest()
        return {"program": str(self.program), "model": str(self.model), "sha256": digest}


class Bench:
    """What all rows share: options, folders, what was made once, what was read of test sets."""

    def __init__(self, options, work):
        self.options, self.work, self.made, self.folders = options, work, {}, 0
        self.readings, self.blank_tiles, self.details = [], [], {}
        self.now, self.before = Side("now", options.program, options.model, self), None
        if options.program_before:
            self.before = Side("before", options.program_before, options.model_before, self)
        self.sides = [side for side in (self.before, self.now) if side]

    def folder(self, name):
        self.folders += 1
        return self.work / f"{name}-{self.folders}"

    def once(self, key, make):
        if key not in self.made:
            self.made[key] = make()
        return self.made[key]

    def data(self, *names):
        path = self.options.data.joinpath(*names)
        if not path.exists():
            raise Skip(f"{path} is not there")
        return path

    def reading(self, side, what):
        """Before anything of a test split or of MoNuSeg is scored."""
        if not self.options.read_tests:
            raise Skip("reads a test set: only with --read-tests")
        line = f"{what}: {side.model.name} {side.described()['sha256'][:12]} ({side.name})"
        if line not in self.readings:
            self.readings.append(line)
            print("reading:", line, flush=True)

    def slide(self):
        return self.once("slide", lambda: images.read(self.data("wsi", "CMU-1-Small-Region.svs")))

    def slide_file(self):
        """The region as a PNG."""
        def make():
            folder = self.folder("slide")
            folder.mkdir()
            images.write(folder / "slide.png", self.slide())
            return folder / "slide.png"
        return self.once("slide file", make)


def test_scores(bench, side, name):
    manifest = bench.data(name, "manifest.csv")
    bench.reading(side, f"{name} test")
    return side.evaluate(manifest, "test")


def monuseg(bench, side):
    return {"pooled": test_scores(bench, side, "monuseg-tiles")["pooled"]["f1"]}


def nuinsseg(bench, side):
    scores = test_scores(bench, side, "nuinsseg-human23")
    return {"pooled": scores["pooled"]["f1"], "organs": scores["mean_organ_f1"]}


def validation(name):
    return lambda bench, side: {"pooled": side.evaluate(bench.data(name, "manifest.csv"), "val")["pooled"]["f1"]}


def left_out(name, option):
    """All images of a set. Before: with the weights themselves, which is right as long as they never saw the set."""
    def measure(bench, side):
        weights = side.model if side is bench.before else getattr(bench.options, option)
        if not weights:
            raise Skip(f"needs --{option.replace('_', '-')}, weights that never saw {name}")
        return {"pooled": side.evaluate(bench.data(name, "manifest.csv"), "", weights)["pooled"]["f1"]}
    return measure


def blank_sets(bench):
    """[(folder, scale)]: the blank cases, the blank tiles of the slide; both are shown in blank.png."""
    cases = next((p for p in (bench.options.data / "cases", bench.options.data.parent / "cases") if p.is_dir()), None)
    files = [p for p in sorted((cases / "09-blank").glob("*.png")) if p.stem in ("white", "grey243")
             or p.stem.startswith("glass")] if cases else []
    if not files:
        print(f"blank: NO CASES: {bench.options.data}/../cases/09-blank is not there", file=sys.stderr)
    shown = {p.stem: images.read(p) for p in files}
    tiles = {f"{x}_{y}": tile for (x, y), tile in images.tiles(bench.slide(), 256).items() if images.blank(tile)}
    bench.blank_tiles = [*shown, *tiles]
    images.write(bench.options.out / "blank.png", images.contact_sheet([*shown.values(), *tiles.values()]))
    sets = []
    for contents, scale in ((shown, 1), (tiles, SLIDE_SCALE)):
        folder = bench.folder("blank")
        images.write_set(folder, [Field(name, image, np.zeros((0, 2))) for name, image in contents.items()])
        sets += [(folder / "images", scale)] if contents else []
    return sets


def blank(bench, side):
    counts = {}
    for folder, scale in bench.once("blank", lambda: blank_sets(bench)):
        counts |= {name: len(points) for name, points in side.detect(folder, scale).items()}
    bench.details["blank", side.name] = counts
    return {"mean": statistics.mean(counts.values()), "worst": max(counts.values())}


def padded_sets(bench):
    """Validation images in reference pixels: a manifest with the points of their inner part, its fields; and for each
    canvas a folder and the offsets."""
    reach, plain, canvases = bench.options.reach, [], {}
    for name in ("nuinsseg-human23", "tnbc-curie", "brca-m2c"):
        for f in images.read_set(bench.data(name), "val"):
            image, points = images.resized(f.image, f.scale), images.to_reference(f.points, f.scale)
            inner = images.inside(points, image.shape[1], image.shape[0], reach)
            plain.append(Field(f.name, image, points[inner], organ=name))
    for fill, grey in (("white", 255), ("black", 0), ("grey", 128)):
        for share in (0.5, 0.8):
            folder, offsets = bench.folder("padded"), {}
            folder.mkdir()
            for f in plain:
                canvas, offsets[f.name] = images.padded(f.image, grey, share)
                images.write(folder / f"{f.name}.png", canvas)
            canvases[f"{fill} {share:.0%}"] = folder, offsets
    return images.write_set(bench.folder("plain"), plain), plain, canvases


def padded(bench, side):
    manifest, plain, canvases = bench.once("padded", lambda: padded_sets(bench))
    sizes = {f.name: f.image.shape[1::-1] for f in plain}

    def scores(folder, offsets=None):
        found = {name: points - (offsets[name] if offsets else 0) for name, points in side.detect(folder, 1).items()}
        inner = {n: p[images.inside(p, *sizes[n], bench.options.reach)] for n, p in found.items()}
        result = side.compare(manifest, inner, gate=16)
        return {o["name"]: o["f1"] for o in result["organs"]}

    without = scores(manifest.parent / "images")
    by_canvas = {canvas: scores(*inputs) for canvas, inputs in canvases.items()}
    nuclei = {name: sum(len(f.points) for f in plain if f.organ == name) for name in without}
    bench.details["padded", side.name] = {"nuclei": nuclei, "without": without, **by_canvas}
    return {"worst": max((s[name] - without[name] for s in by_canvas.values() for name in s), key=abs)}


def cut(bench, side):
    """A nucleus of the slide belongs to the tile that it lies in; distances in pixels of the slide."""
    size, margin, gate = 512, 32, 2
    whole = side.detect(bench.slide_file(), SLIDE_SCALE)["slide"]
    fields = []
    for (x, y), tile in images.tiles(bench.slide(), size).items():
        points = whole - (x, y)
        fields.append(Field(f"{x}_{y}", tile, points[images.inside(points, size, size, margin)]))
    manifest = images.write_set(bench.folder("cut"), fields)
    found = side.detect(manifest.parent / "images", SLIDE_SCALE)
    inner = {name: points[images.inside(points, size, size, margin)] for name, points in found.items()}
    scores = side.compare(manifest, inner, gate)
    names = ("truths", "detections", "hits", "precision", "recall", "f1")
    rows = (scores["pooled"], *scores["images"])
    bench.details["cut", side.name] = {row["name"]: {n: row[n] for n in names} for row in rows}
    return {"f1": scores["pooled"]["f1"]}


def monuseg_changed(bench, side, changes):
    """{name: pooled F1} of the test tiles after each change of a field, and as they are."""
    f1 = {"as they are": monuseg(bench, side)["pooled"]}
    fields = bench.once("monuseg", lambda: images.read_set(bench.data("monuseg-tiles"), "test"))
    for name, change in changes.items():
        manifest = bench.once(name, lambda: images.write_set(bench.folder(name), [change(f) for f in fields]))
        bench.reading(side, f"monuseg-tiles test, {name}")
        f1[name] = side.evaluate(manifest, "test")["pooled"]["f1"]
    return f1


def perturbed(bench, side):
    changes = {name: lambda f, change=change: dataclasses.replace(f, image=change(f.image))
               for name, change in images.PERTURBATIONS.items()}
    f1 = monuseg_changed(bench, side, changes)
    bench.details["perturbed", side.name] = f1
    return {"worst": min(f1[name] - f1["as they are"] for name in changes)}


def at_lower_magnification(field, factor):
    return Field(field.name, images.shrunk(field.image, factor), images.to_reference(field.points, 1 / factor),
                 field.organ, field.scale * factor)


def magnification(bench, side):
    f1 = monuseg_changed(bench, side, {f"{40 // factor}x": lambda f, factor=factor: at_lower_magnification(f, factor)
                                       for factor in (2, 4)})
    bench.details["magnification", side.name] = f1
    return {name: f1[name] - f1["as they are"] for name in ("20x", "10x")}


def small_images(bench):
    folder = bench.folder("small")
    fields = images.read_set(bench.data("nuinsseg-human23"), "val")[:TIMED_IMAGES]
    images.write_set(folder, fields)
    return folder / "images", sum(f.image.shape[0] * f.image.shape[1] for f in fields)


def seconds(side, inputs, scale):
    """Of the clock and of the processors."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    side.detect(inputs, scale, side.bench.options.threads or TIMED_THREADS)
    clock, now = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return clock, now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime


def timed(bench, side):
    """In turns, each with the other side first; the median of the turns' ratios."""
    if not bench.options.time:
        raise Skip("slow: only with --time")
    if not bench.before:
        raise Skip("needs --program-before")
    if side is bench.before:
        return {"slide": 1.0, "folder": 1.0}
    result, details = {}, {}
    height, width = bench.slide().shape[:2]
    small, small_pixels = bench.once("small", lambda: small_images(bench))
    for name, inputs, scale, pixels in (("slide", bench.slide_file(), SLIDE_SCALE, height * width * SLIDE_SCALE ** 2),
                                        ("folder", small, 1, small_pixels)):
        turns = []
        for turn in range(bench.options.turns):
            order = bench.sides if turn % 2 == 0 else bench.sides[::-1]
            turns.append({s.name: seconds(s, inputs, scale) for s in order})
        result[name] = statistics.median(t["now"][0] / t["before"][0] for t in turns)
        for s in bench.sides:
            clock, processors = (statistics.median(t[s.name][k] for t in turns) / pixels * 1e9 for k in (0, 1))
            details[f"{name} {s.name}"] = {"ns a pixel": clock, "ns of processors a pixel": processors}
        details[f"{name}, ratios"] = [t["now"][0] / t["before"][0] for t in turns]
        details[f"{name}, ratio of processors' time"] = statistics.median(t["now"][1] / t["before"][1] for t in turns)
    bench.details["time", side.name] = details
    return result


MEASURES = {"monuseg": monuseg, "nuinsseg": nuinsseg, "tnbc": validation("tnbc-curie"), "brca": validation("brca-m2c"),
            "without-tnbc": left_out("tnbc-curie", "without_tnbc"),
            "without-brca": left_out("brca-m2c", "without_brca"),
            "blank": blank, "padded": padded, "cut": cut, "perturbed": perturbed, "magnification": magnification,
            "time": timed}
