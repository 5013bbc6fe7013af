#!/usr/bin/env python3
"""Times whole programs, from the files of images to the files of nuclei: nucdet beside Python with ONNX Runtime and with
OpenVINO, on the same network.

    python bench/peers/programs.py build/release/tools/nucdet/nucdet [--threads 2] [--rounds 7] [--slide FILE] [--json FILE]

Rows: one image, cold (from the start of the process to the file, of one that the system has read before), a folder of
small images in one call, and a slide, all of it and taken as 0.25 um a pixel, which the peers cut into tiles as nucdet does
(openslide-python). Programs take turns, A B C A B C. The peers go integrations/onnx/nuclei.py's way: Pillow reads,
numpy finds the peaks; they are told the model's metadata in a file, which spares them a look at the graph. One does as most
scripts do: scikit-image reads and finds the peaks. Before a time is printed the nuclei of all are compared: as many, and none
farther than 0.05 pixels, or a whole pixel for scikit-image, which refines none.

The images are synthetic tissue (nucdet synth). Memory is the most that a process held, with its children.
"""
import argparse
import csv
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import types

ROOT = pathlib.Path(__file__).resolve().parents[2]
ENGINES = {"Python + ONNX Runtime": "onnxruntime", "Python + OpenVINO": "openvino",
           "Python + ONNX Runtime + scikit-image": "scikit-image"}
FARTHEST = 0.05  # pixels
WHOLE = 1.05     # of peaks that scikit-image gives as whole pixels, along both axes together
DISTINCT = 20    # images of a folder that differ; the others are copies
TILE = 1024      # pixels of a slide that a peer keeps of a tile, along an axis


# ---- a peer's process -----------------------------------------------------------------------------------------------

def detect(engine, threads, folder, out, images):
    """Writes OUT/NAME.csv of each image."""
    from worker import onnxruntime_session, openvino_request
    sys.path.insert(0, str(ROOT / "integrations" / "onnx"))
    if engine == "openvino":
        sys.modules["onnxruntime"] = types.ModuleType("onnxruntime")  # nuclei.py would load it
    from nuclei import Nuclei, read

    class Peer(Nuclei):
        def __init__(self):
            m = json.loads((folder / "metadata.json").read_text(encoding="utf-8"))
            self.outputs, self.softmax, self.multiple = ["map"], False, int(m["input.multiple"])
            self.radius, self.threshold = int(m["peaks.radius"]), float(m["peaks.threshold"])
            self.full_scale = float(m["peaks.full_scale"]) or 1.0
            seen = max(int(pixels) for pixels in m["input.reach"].split()) + self.radius + 1
            self.margin = -(-seen // self.multiple) * self.multiple
            if engine != "openvino":
                self.session = onnxruntime_session(folder / "nuclei.onnx", threads)
            else:
                request = openvino_request(folder / "nuclei.onnx", threads)
                self.session = types.SimpleNamespace(run=lambda _, x: [request.infer(x)[0]])

        def detect_slide(self, path):
            """Tile by tile, with margins: a nucleus is the tile's in which its peak lies."""
            import numpy as np
            import openslide
            slide = openslide.OpenSlide(str(path))
            width, height = slide.dimensions
            for top in range(0, height, TILE):
                for left in range(0, width, TILE):
                    y, x = max(0, top - self.margin), max(0, left - self.margin)
                    h, w = min(height, top + TILE + self.margin) - y, min(width, left + TILE + self.margin) - x
                    pixels = np.asarray(slide.read_region((x, y), 0, (w, h)).convert("RGB"))  # of these files all is opaque
                    for u, v, score, kind in self.detect(pixels):
                        if 0 <= round(u) + x - left < TILE and 0 <= round(v) + y - top < TILE:
                            yield u + x, v + y, score, kind

        def _peaks(self, response):
            if engine != "scikit-image":
                return super()._peaks(response)
            from skimage.feature import peak_local_max
            return peak_local_max(response, min_distance=self.radius, threshold_abs=self.threshold * self.full_scale,
                                  exclude_border=False)

        def _vertex(self, line, i):
            return 0.0 if engine == "scikit-image" else Nuclei._vertex(line, i)

    if engine == "scikit-image":
        from skimage.io import imread as read
    peer = Peer()
    for image in images:
        found = peer.detect_slide(image) if image.suffix == ".svs" else peer.detect(read(str(image)))
        rows = [f"{x:.3f},{y:.3f},{score:.4f}\n" for x, y, score, _ in found]
        (out / f"{image.stem}.csv").write_text("x,y,score\n" + "".join(rows), encoding="utf-8")


# ---- the driver -----------------------------------------------------------------------------------------------------

def write_metadata(folder):
    import onnx
    found = {p.key: p.value for p in onnx.load(folder / "nuclei.onnx", load_external_data=False).metadata_props}
    (folder / "metadata.json").write_text(json.dumps(found), encoding="utf-8")


def make_images(nucdet, folder, side, count):
    """Folder `folder` of `count` images of side x side pixels."""
    drawn = folder.parent / "drawn"
    subprocess.run([nucdet, "synth", "--out", drawn, "--images", str(4 * DISTINCT), "--size", str(side)], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    images = sorted(drawn.rglob("*.png"))[::4]  # of every kind of tissue
    folder.mkdir()
    for i in range(count):
        shutil.copy(images[i % len(images)], folder / f"{i:04}.png")


def commands(nucdet, threads, folder, images, out):
    """Name -> command that writes OUT/NAME.csv."""
    slide = ["--mpp", "0.25", "--tissue", "all"] if images[0].suffix == ".svs" else []
    found = {"nucdet": [nucdet, "detect", *images, "--out", out, "--threads", threads, "--quiet", "--device", "cpu", *slide]}
    for name, engine in ENGINES.items():
        found[name] = [sys.executable, __file__, "--worker", engine, threads, folder, out, *images]
    return {name: list(map(str, command)) for name, command in found.items()}


def run(command):
    """Seconds, and bytes of memory at most."""
    with tempfile.TemporaryFile() as errors:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        if status != 0:
            errors.seek(0)
            sys.exit(f"{' '.join(command)[:200]}: {errors.read().decode(errors='replace')[-500:]}")
    return seconds, 1024 * usage.ru_maxrss


def points(file):
    with open(file, encoding="utf-8", newline="") as text:
        return [(float(row["x"]), float(row["y"])) for row in csv.DictReader(text)]


def compare(name, file, right):
    """Whether every nucleus of one is a nucleus of the other."""
    farthest = WHOLE if "scikit-image" in name else FARTHEST
    found = points(file)
    worst = max((min((abs(x - u) + abs(y - v) for u, v in right), default=1e9) for x, y in found), default=0)
    if len(found) != len(right) or worst > farthest:
        sys.exit(f"{name}: {file.name}: {len(found)} nuclei, wanted {len(right)}; the farthest is {worst:.3g} pixels off")


def measure(nucdet, threads, folder, images, rounds):
    times, memory = {}, {}
    for turn in range(rounds + 1):  # the first fills the caches and is compared
        right = {}
        for name in ["nucdet", *ENGINES]:
            out = folder / "out"
            shutil.rmtree(out, ignore_errors=True)
            out.mkdir()
            seconds, held = run(commands(nucdet, threads, folder, images, out)[name])
            if turn == 0:
                for image in (sorted(images[0].glob("*.png"))[:DISTINCT] if images[0].is_dir() else images):
                    file = out / f"{image.stem}.csv"
                    if name == "nucdet":
                        right[file.name] = points(file)
                    else:
                        compare(name, file, right[file.name])
                continue
            times.setdefault(name, []).append(seconds)
            memory[name] = max(memory.get(name, 0), held)
    return times, memory


def main():
    if sys.argv[1:2] == ["--worker"]:
        engine, threads, folder, out, *images = sys.argv[2:]
        paths = [pathlib.Path(image) for image in images]
        paths = [file for path in paths for file in (sorted(path.glob("*.png")) if path.is_dir() else [path])]
        return detect(engine, int(threads), pathlib.Path(folder), pathlib.Path(out), paths)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("nucdet", type=pathlib.Path)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=7, help="after one that does not count; of the folder a third")
    parser.add_argument("--images", type=int, default=1000, help="of the folder")
    parser.add_argument("--slide", type=pathlib.Path, help="an .svs of a few megapixels; without it no such row")
    parser.add_argument("--json", type=pathlib.Path, help="file for the records")
    a = parser.parse_args()
    if a.slide and a.slide.suffix != ".svs":
        parser.error(f"{a.slide}: wanted an .svs")
    from worker import processor
    print(f"{processor()}, {a.threads} threads\n\n| work | program | median s | best s | its median / nucdet's | peak MiB "
          "| its memory / nucdet's |\n" + "|---" * 7 + "|", flush=True)
    records = []
    for work, side, count, rounds in (("one image of 512 x 512, cold", 512, 1, a.rounds),
                                      (f"{a.images} images of 256 x 256", 256, a.images, max(1, a.rounds // 3)),
                                      (f"{a.slide.name if a.slide else ''}, all of it", 0, 0, max(1, a.rounds // 3))):
        if count == 0 and not a.slide:
            continue
        with tempfile.TemporaryDirectory() as temporary:
            folder = pathlib.Path(temporary)
            subprocess.run([a.nucdet, "export", "--out", folder / "nuclei.onnx"], check=True, stdout=subprocess.DEVNULL)
            write_metadata(folder)
            if count > 0:
                make_images(a.nucdet, folder / "images", side, count)
            images = [a.slide if count == 0 else folder / "images" / "0000.png" if count == 1 else folder / "images"]
            times, memory = measure(a.nucdet.resolve(), a.threads, folder, images, rounds)
        own, held = statistics.median(times["nucdet"]), memory["nucdet"]
        for name, seconds in times.items():
            median = statistics.median(seconds)
            print(f"| {work} | {name} | {median:.3f} | {min(seconds):.3f} | {median / own:.2f} "
                  f"| {memory[name] / 2**20:.0f} | {memory[name] / held:.2f} |", flush=True)
            records.append({"what": work, "contender": name, "threads": a.threads, "median_s": median, "times_s": seconds,
                            "ratio": median / own, "peak_bytes": memory[name]})
    if a.json:
        a.json.write_text(json.dumps(records, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
