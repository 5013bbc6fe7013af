#!/usr/bin/env python3
"""Times what a whole slide costs by the network of others beside nucdet's: StarDist, HoVer-Net and MapDe, on the CPU.

    python bench/peers/slides.py build/release/tools/nucdet/nucdet [--threads 1] [--rounds 5] [--json FILE] [--csv FILE]
    python bench/peers/slides.py NUCDET --networks StarDist --engines eager --rounds 1      (a quick trial)

Forward passes alone, of random weights (slide_networks.py): nobody's files, resampling, overlap of tiles, peaks or
polygons are counted, of nucdet neither (its row "and its peaks" adds those). A network runs by PyTorch, in its own
layout and channels_last, ONNX Runtime and OpenVINO, all in fp32; each takes the shape of a few that is quickest for
it, counted by the pixels of its output. Maps are compared with the first engine's. Then they take turns with nucdet,
`nucdet bench` on one map of 1024 x 1024, and who is not running is stopped; medians. All are pinned to as many cores
as there are threads (--cores).

Speed is told per core and twice: over the same pixels (0.25 um), and over those that each was published for, moved on
as its own program does (MapDe's patches overlap: 150 of 252 pixels are new).
"""
import argparse
import contextlib
import csv
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import warnings

import numpy as np

from worker import Worker, WorkerFailed, onnxruntime_session, openvino_request, processor, serve, wait_policy

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOLERANCE = 1e-3  # of maps, relative to their largest value
ENGINES = {"eager": "PyTorch eager", "channels_last": "PyTorch channels_last", "onnxruntime": "ONNX Runtime",
           "openvino": "OpenVINO"}
NETWORKS = ("StarDist", "HoVer-Net", "MapDe")  # slide_networks.PUBLISHED, which needs PyTorch
EQUAL, SIDE = 0.25, 1024  # um a pixel, and nucdet's map
LONG = 2000  # ms: what takes so long is run once a turn


# ---- in a worker ----------------------------------------------------------------------------------------------------

def torch_stages(name, engine, shape, threads):
    import torch
    import slide_networks
    torch.set_num_threads(threads)
    yield torch.__version__
    layout = torch.channels_last if engine == "channels_last" else torch.contiguous_format
    net = slide_networks.network(name).to(memory_format=layout)
    x = slide_networks.image(shape).to(memory_format=layout)

    def work():
        with torch.inference_mode():
            y = net(x)
            return y[0] if isinstance(y, tuple) else y
    yield work


def onnx_stages(engine, file, threads):
    x = np.load(file.with_suffix(".npy"))
    if engine == "onnxruntime":
        import onnxruntime
        yield onnxruntime.__version__
        session = onnxruntime_session(file, threads)
        yield lambda: session.run(None, {"x": x})[0]
    else:
        import openvino
        yield openvino.__version__.split("-")[0]
        request = openvino_request(file, threads)
        yield lambda: request.infer({0: x})[0]


def export(name, shape, file):
    """In a process of its own, as what it takes is not given back."""
    import torch
    import slide_networks
    warnings.simplefilter("ignore")
    x = slide_networks.image(shape)
    np.save(file.with_suffix(".npy"), x.numpy())
    options = {"dynamo": False} if hasattr(torch, "compile") else {}
    with torch.inference_mode():
        torch.onnx.export(slide_networks.network(name), (x,), str(file), input_names=["x"], opset_version=16, **options)


def describe():
    """For the driver, which does not load PyTorch: what is published of each network, and what it costs."""
    import slide_networks
    found = {}
    for name, published in slide_networks.PUBLISHED.items():
        parameters, flop = slide_networks.cost(name)
        found[name] = {"um": published.um_per_pixel, "shapes": published.shapes, "new": published.new(),
                       "counted": [published.counted(shape) for shape in published.shapes],
                       "parameters": parameters, "gflop_per_megapixel": 1e-3 * flop}
    print(json.dumps(found))


# ---- contenders -----------------------------------------------------------------------------------------------------

class Peer(Worker):
    """A network in one shape by one engine."""

    def __init__(self, name, engine, shape, counted, options):
        self.name, self.engine, self.shape, self.counted, self.folder = name, engine, shape, counted, options.folder
        word = f"{name}-{shape[0]}x{shape[1]}"
        self.file = options.folder / f"{word}.onnx"
        if engine in ("onnxruntime", "openvino") and not self.file.exists():
            run_self("--export", name, *shape, self.file)
        super().__init__([sys.executable, __file__, "--worker", name, engine, *shape, options.threads, self.file],
                         options.folder / f"{word}-{engine}.log", options.threads,
                         engine in ("eager", "channels_last"), options.cores)

    def begin(self):
        """Starts, and runs twice: the first does not count."""
        self.start()
        self.run(), self.run()
        self.times.pop(0)

    def turn(self):
        return self.run() if self.times[0] > LONG else super().turn()

    def map(self):
        return self.output(self.folder / "output").astype(np.float64)

    def seconds_per_megapixel(self):
        return 1e3 * statistics.median(self.times) / self.counted


class Nucdet:
    """`nucdet bench`, a process a turn."""

    def __init__(self, options):
        self.command = ["taskset", "-c", options.cores, options.nucdet, "bench", "--model", options.model,
                        "--height", SIDE, "--width", SIDE, "--threads", options.threads, "--batch", 1, "--crop", 16,
                        "--seconds", 1, "--device", "cpu", "--json", "-"]
        self.times, self.with_peaks = [], []

    def turn(self):
        run = subprocess.run(list(map(str, self.command)), capture_output=True, text=True)
        if run.returncode:
            raise WorkerFailed((run.stderr.strip().splitlines() or ["nucdet bench failed"])[-1])
        milliseconds = {record["what"]: record["milliseconds"] for record in json.loads(run.stdout)}
        self.times.append(milliseconds["forward"]), self.with_peaks.append(milliseconds["detect"])


def run_self(*arguments):
    command = [sys.executable, __file__, *map(str, arguments)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


# ---- measuring ------------------------------------------------------------------------------------------------------

def best_shape(name, about, engine, right, options):
    """Of the shapes, the one that costs an engine the least a pixel. `right` has PyTorch's map of each shape."""
    best = None
    for shape, counted in zip(about["shapes"], about["counted"]):
        peer = Peer(name, engine, shape, counted, options)
        try:
            peer.begin()
            found = peer.map()
        except WorkerFailed as reason:
            print(f"missing: {name} by {ENGINES[engine]}, {shape[0]}x{shape[1]}: {reason}\n", flush=True)
            continue
        finally:
            peer.end()
        expected = right.setdefault(tuple(shape), found)
        error = np.abs(found - expected).max() / np.abs(expected).max()
        if not error <= TOLERANCE:
            raise ValueError(f"{name} by {ENGINES[engine]}: maps differ by {error:.3g}, at most {TOLERANCE} is allowed")
        if best is None or peer.seconds_per_megapixel() < best[0]:
            best = (peer.seconds_per_megapixel(), shape, counted)
    return best and best[1:]


def measure(name, about, options):
    """One network by all engines, in turns with nucdet."""
    right, chosen = {}, {}
    for engine in options.engines:
        found = best_shape(name, about, engine, right, options)
        if found:
            chosen[engine] = found
    own = Nucdet(options)
    with contextlib.ExitStack() as running:
        peers = []
        for engine, (shape, counted) in chosen.items():
            peers.append(Peer(name, engine, shape, counted, options))
            running.callback(peers[-1].end)
            peers[-1].begin()
        for _ in range(options.rounds):
            own.turn()
            for peer in peers:
                peer.turn()
    for file in options.folder.glob("*.onnx"):
        file.unlink()
    return own, peers


def figures(what, by, version, shape, milliseconds, counted, um, new, options, **rest):
    """A row. `new` is the part of the output that the next patch does not give again."""
    seconds, per_core = 1e-3 * statistics.median(milliseconds), 1e-6 / options.threads
    return {"network": what, "by": by, "version": version, "threads": options.threads, "shape": shape,
            "counted_pixels": counted, "median_ms": 1e3 * seconds, "best_ms": min(milliseconds),
            "times_ms": milliseconds, "seconds_per_megapixel": 1e6 * seconds / counted,
            "um_per_pixel": um, "mm2_per_second_core": per_core * counted * EQUAL**2 / seconds,
            "mm2_per_second_core_published": per_core * counted * new * um**2 / seconds, **rest}


def rows_of(name, about, own, peers, version, options):
    pixels = SIDE * SIDE
    found = [figures("nucdet", by, version, f"1x{SIDE}", times, pixels, EQUAL, 1, options, beside=name)
             for by, times in (("nucdet", own.times), ("nucdet and its peaks", own.with_peaks))]
    for peer in peers:
        found.append(figures(name, ENGINES[peer.engine], peer.version, "{}x{}".format(*peer.shape), peer.times,
                             peer.counted, about["um"], about["new"], options, beside=name,
                             parameters=about["parameters"], gflop_per_megapixel=about["gflop_per_megapixel"]))
    for row in found:
        for key in ("mm2_per_second_core", "mm2_per_second_core_published"):
            row["nucdet_over_" + key.removeprefix("mm2_per_second_")] = found[0][key] / row[key]
    return found


def print_rows(found):
    for r in found:
        print(f"| {r['network']} | {r['by']} {r['version']} | {r['shape']} | {r['median_ms']:.0f} | {r['best_ms']:.0f} "
              f"| {r['seconds_per_megapixel']:.2f} | {r['mm2_per_second_core']:.4f} | {r['nucdet_over_core']:.1f} "
              f"| {r['mm2_per_second_core_published']:.4f} | {r['nucdet_over_core_published']:.1f} |", flush=True)


def print_best(found):
    print("\nThe best of each:\n")
    for name in dict.fromkeys(r["network"] for r in found if r["network"] != "nucdet"):
        best = min((r for r in found if r["network"] == name), key=lambda r: r["seconds_per_megapixel"])
        print(f"* {name}, by {best['by']}: nucdet is {best['nucdet_over_core']:.1f} times as fast over equal pixels, "
              f"{best['nucdet_over_core_published']:.1f} times as it is published ({best['um_per_pixel']} um a pixel)")


def write(found, options):
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    if options.csv:
        with open(options.csv, "w", encoding="utf-8", newline="") as file:
            columns = [key for key in max(found, key=len) if key != "times_ms"]
            table = csv.DictWriter(file, columns, extrasaction="ignore")
            table.writeheader(), table.writerows(found)


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("nucdet", type=pathlib.Path, help="the program")
    parser.add_argument("--model", type=pathlib.Path, default=ROOT / "models" / "nuclei-he.safetensors")
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=NETWORKS)
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=tuple(ENGINES))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--cores", help="as taskset wants them; default: 0 for one thread, 0-1 for two, ...")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=pathlib.Path, help="file for the records")
    parser.add_argument("--csv", type=pathlib.Path, help="file for a table of them")
    options = parser.parse_args()
    if options.cores is None:
        options.cores = "0" if options.threads == 1 else f"0-{options.threads - 1}"
    return options


def main():
    word, *rest = sys.argv[1:] or [""]
    if word == "--worker":
        name, engine, images, side, threads, file = rest
        stages = onnx_stages(engine, pathlib.Path(file), int(threads)) if engine in ("onnxruntime", "openvino") else \
            torch_stages(name, engine, (int(images), int(side)), int(threads))
        return serve(stages)
    if word == "--export":
        return export(rest[0], (int(rest[1]), int(rest[2])), pathlib.Path(rest[3]))
    if word == "--describe":
        return describe()
    options = parse()
    said = subprocess.run([options.nucdet, "--version"], capture_output=True, text=True, check=True)
    version = said.stdout.split()[-1]
    known = json.loads(run_self("--describe"))
    print(f"On {processor()}, threads: {options.threads}, on cores {options.cores}, medians of {options.rounds} in "
          f"turns, threads wait {wait_policy()}ly\n")
    for name in options.networks:
        about = known[name]
        print(f"* {name}: {about['parameters']:,} parameters, {about['gflop_per_megapixel']:.0f} GFLOP a megapixel of "
              f"output, {about['um']} um a pixel")
    print("\n| network | by | images x side | median ms | best ms | s a megapixel | mm2/s a core, 0.25 um "
          "| nucdet's over it | mm2/s a core, as published | nucdet's over it |\n" + "|---" * 10 + "|", flush=True)
    found = []
    for name in options.networks:
        with tempfile.TemporaryDirectory() as folder:
            options.folder = pathlib.Path(folder)
            try:
                rows = rows_of(name, known[name], *measure(name, known[name], options), version, options)
            except (ValueError, WorkerFailed) as error:
                sys.exit(f"{name}: {error}")
        print_rows(rows)
        found += rows
        write(found, options)
    print_best(found)


if __name__ == "__main__":
    main()
