#!/usr/bin/env python3
"""Times a whole network beside its peers: PyTorch, ONNX Runtime and OpenVINO, on the CPU, with the same weights.

    python bench/peers/network.py [--nucdet build/bench/peer_network] [--net NET] [--threads 2] [--rounds 7]
    python bench/peers/network.py --forward --base 8 --size 128 --rounds 3      (a quick trial)

Forward passes (--forward) and training steps (--train), both unless one is named. Each contender is a process of its
own, so that its peak memory is its own too; they take turns, A B C A B C, and who is not running is stopped
(SIGSTOP), so that no thread that spins after its work takes the cores of the next. Times are taken inside the
processes, of the call alone: nobody's files, conversions or first two runs are counted. Maps are compared with
PyTorch's in double precision, losses of training with PyTorch's: whoever is off by more than 1e-3 ends the program.

Threads that wait sleep, ours after 20 us, those of OpenMP and ONNX Runtime by settings: spinning ones lose many times
more than they gain as soon as anything else runs. OMP_WAIT_POLICY=active lets them spin, for a machine that is idle.

glibc's malloc maps and unmaps every large tensor anew, which costs PyTorch up to half its time. It gets a malloc that
keeps its memory; the rows "default malloc" show it without. Debian's PyTorch does its transposed convolutions through
libblas: without OpenBLAS (libopenblas0-pthread) they run on the reference BLAS and take three quarters of the time, so
each row names the library that was loaded. OpenVINO is held to float32, with its hint for latency.

A worker (this program with --worker, or peer_network) is what worker.py says.
"""
import argparse
import contextlib
import json
import pathlib
import statistics
import sys
import tempfile
import warnings
from typing import NamedTuple

import numpy as np

from worker import Worker, WorkerFailed, onnxruntime_session, openvino_request, processor, serve, wait_policy

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "golden"))

TOLERANCE = 1e-3  # of maps relative to their largest value, of losses relative to the loss
WARM_UP = 2
COMPARED_LOSSES = 3
RATE = 1e-3  # as in network.cpp


class Contender(NamedTuple):
    name: str
    variant: str  # which worker
    keeps_memory: bool = False  # by KEEP_MEMORY


CONTENDERS = {
    "forward": (Contender("nucdet", "nucdet"), Contender("PyTorch eager", "eager", True),
                Contender("PyTorch eager, default malloc", "eager"),
                Contender("PyTorch channels_last", "channels_last", True),
                Contender("PyTorch traced, frozen", "frozen", True), Contender("torch.compile", "compiled", True),
                Contender("ONNX Runtime", "onnxruntime"), Contender("OpenVINO", "openvino")),
    "train": (Contender("nucdet", "nucdet"), Contender("PyTorch eager", "eager", True),
              Contender("PyTorch eager, default malloc", "eager"),
              Contender("PyTorch channels_last", "channels_last", True)),
}
DOUBLE = Contender("PyTorch eager, float64", "float64")


class Workload(NamedTuple):
    what: str  # forward or train
    net: str  # of NETWORKS
    base: int
    threads: int
    size: int
    batch: int
    folder: pathlib.Path

    def file(self, name):
        return self.folder / name

    def floats(self, name, channels):
        """[N, C, H, W] of a file of [N, H, W, C]."""
        shape = (self.batch, self.size, self.size, channels)
        return np.ascontiguousarray(np.fromfile(self.file(name), np.float32).reshape(shape).transpose(0, 3, 1, 2))


# ---- workers: each imports, yields its version, loads, and yields what is timed -------------------------------------

def blas():
    """Which BLAS this process has loaded."""
    files = {line.split()[-1] for line in open("/proc/self/maps") if "blas" in line}
    return "OpenBLAS" if any("openblas" in name for name in files) else "reference BLAS" if files else "no BLAS"


def convolve_in_strips(net):
    """PyTorch's convolutions in double lay out every window at once: 10 GB for the last block and 512x512 pixels."""
    import torch
    import torch.nn.functional as F

    def in_strips(conv, rows=64):
        k, pad = conv.kernel_size[0], conv.padding[0]

        def convolve(x, weight, bias):
            x = F.pad(x, (pad,) * 4)
            return torch.cat([F.conv2d(x[:, :, y:y + rows + k - 1], weight, bias)
                              for y in range(0, x.shape[2] - k + 1, rows)], 2)
        return convolve
    for layer in net.modules():
        if type(layer) is torch.nn.Conv2d and layer.stride == (1, 1):
            layer._conv_forward = in_strips(layer)


def match_size(x, like):
    """Sizes are constants to a tracer, and nothing is copied where none is added."""
    from torch.nn.functional import pad
    h, w = (int(like.shape[axis]) - int(x.shape[axis]) for axis in (2, 3))
    return pad(x, (w // 2, w - w // 2, h // 2, h - h // 2)) if h or w else x


def micronet(base):
    import make_network
    make_network.match_size = match_size
    return make_network.MicroNet(base, dropout=0.0)


def micronet_lite(base):
    import make_networks
    make_networks.match_size = match_size
    return make_networks.MicroNetLite(base)


NETWORKS = {"micronet": micronet, "micronet-lite": micronet_lite}  # without dropout


def loaded_network(w):
    import torch
    net = NETWORKS[w.net](w.base)
    net.load_state_dict(torch.load(w.file("weights.pt")))
    return net


def torch_forward(w, variant):
    import torch
    torch.set_num_threads(w.threads)
    if variant == "compiled" and not hasattr(torch, "compile"):
        raise ImportError(f"PyTorch {torch.__version__} has none")
    yield f"{torch.__version__}, {blas()}"
    net, x = loaded_network(w).eval(), torch.from_numpy(w.floats("input", 3))
    if variant == "float64":
        net, x = net.double(), x.double()
        convolve_in_strips(net)
    if variant == "channels_last":
        net, x = net.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
    if variant == "frozen":
        with torch.no_grad():  # or the trace keeps every map for a backward pass
            net = torch.jit.freeze(torch.jit.trace(net, x, check_trace=False))
    if variant == "compiled":
        net = torch.compile(net)

    def work():
        with torch.inference_mode():
            return net(x)
    yield work


def torch_train(w, variant):
    import torch
    from make_network import weighted_squared_error
    torch.set_num_threads(w.threads)
    yield f"{torch.__version__}, {blas()}"
    net, x, y = loaded_network(w).train(), *(torch.from_numpy(w.floats(*f)) for f in (("input", 3), ("target", 1)))
    if variant == "channels_last":
        net, x = net.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
    optimiser = torch.optim.SGD(net.parameters(), lr=RATE, momentum=0.9, nesterov=True, weight_decay=1e-6)

    def work():
        optimiser.zero_grad(set_to_none=True)
        loss = weighted_squared_error(net(x), y)
        loss.backward()
        optimiser.step()
        return loss.item()
    yield work


def onnxruntime_forward(w, _):
    import onnxruntime
    yield onnxruntime.__version__
    session, x = onnxruntime_session(w.file("network.onnx"), w.threads), w.floats("input", 3)
    yield lambda: session.run(None, {"x": x})[0]


def openvino_forward(w, _):
    import openvino
    yield openvino.__version__.split("-")[0]
    request, x = openvino_request(w.file("network.onnx"), w.threads), w.floats("input", 3)
    yield lambda: request.infer({0: x})[0]


def stages_of(w, variant):
    make = {"onnxruntime": onnxruntime_forward, "openvino": openvino_forward}.get(
        variant, torch_forward if w.what == "forward" else torch_train)
    return make(w, variant)


# ---- the driver's side of a worker ----------------------------------------------------------------------------------

class NetworkWorker(Worker):
    def __init__(self, contender, w, nucdet):
        self.contender = contender
        numbers = [str(n) for n in (w.base, w.threads, w.size, w.batch)]
        if contender.variant == "nucdet":
            files = ["input"] if w.what == "forward" else ["input", "target"]
            command = [nucdet, w.what, w.net, w.file("weights.safetensors"), *numbers, *map(w.file, files)]
        else:
            command = [sys.executable, __file__, "--worker", contender.variant, w.what, w.net, *numbers, w.folder]
        super().__init__(command, w.file(f"{w.what} {contender.name}.log"), w.threads, contender.keeps_memory)

    def map(self, w):
        """One map: [N, 1, H, W] lies as [N, H, W, 1]."""
        return self.output(w.file("output"), np.float64 if self.contender is DOUBLE else np.float32)


# ---- weights and images ---------------------------------------------------------------------------------------------

def trained_network(name, base):
    """Weights for which every term matters, and running statistics that fit the activations, as after training."""
    import torch
    from make_network import uneven
    torch.manual_seed(base)
    net = NETWORKS[name](base)
    uneven(net, np.random.default_rng(base))
    for layer in net.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.reset_running_stats()
            layer.momentum = None  # the plain mean of all batches
    net.train()
    with torch.no_grad():
        for _ in range(3):
            net(torch.randn(2, 3, 64, 64))
    return net.eval()


def write_files(w):
    import torch
    from make_network import write_safetensors
    net, random = trained_network(w.net, w.base), np.random.default_rng(w.size)
    torch.save(net.state_dict(), w.file("weights.pt"))
    with contextlib.redirect_stdout(sys.stderr):
        write_safetensors(w.file("weights.safetensors"), {n: t.detach() for n, t in net.named().items()}, {})
    random.normal(0, 1, (w.batch, w.size, w.size, 3)).astype(np.float32).tofile(w.file("input"))
    random.uniform(0, 1, (w.batch, w.size, w.size, 1)).astype(np.float32).tofile(w.file("target"))
    if w.what == "forward":
        warnings.simplefilter("ignore")  # of the tracer: that sizes are constants is what we want
        torch.onnx.export(net, torch.from_numpy(w.floats("input", 3)), str(w.file("network.onnx")),
                          input_names=["x"], output_names=["y"], opset_version=16)


def double_output(w):
    """The maps in double precision."""
    worker = NetworkWorker(DOUBLE, w, None)
    try:
        worker.start()
        worker.run()
        return worker.map(w)
    finally:
        worker.end()


# ---- measuring ------------------------------------------------------------------------------------------------------

def check(worker, error, of_what):
    if not error <= TOLERANCE:
        raise ValueError(f"{worker.contender.name}: {of_what} differ by {error:.3g}, at most {TOLERANCE} is allowed")
    worker.error = error


def started(contender, w, nucdet, right, running):
    """Starts a worker and runs it once. One that cannot run is named as missing; nucdet must run."""
    worker = NetworkWorker(contender, w, nucdet)
    running.callback(worker.end)
    try:
        worker.start()
        worker.run()
    except WorkerFailed as reason:
        if contender.variant == "nucdet":
            raise
        print(f"missing: {contender.name}: {reason}\n", flush=True)
        return None
    if right is not None:
        found = worker.map(w).astype(np.float64)
        check(worker, np.abs(found - right).max() / np.abs(right).max(), "maps")
    return worker


def compare_losses(workers):
    right = next(worker.losses[:COMPARED_LOSSES] for worker in workers if worker.contender.variant == "eager")
    for worker in workers:
        check(worker, max(abs(a - b) / abs(b) for a, b in zip(worker.losses, right)), "losses")


def measure(w, rounds, nucdet):
    write_files(w)
    right = double_output(w) if w.what == "forward" else None
    with contextlib.ExitStack() as running:
        workers = [started(contender, w, nucdet, right, running) for contender in CONTENDERS[w.what]]
        workers = [worker for worker in workers if worker]
        for _ in range(WARM_UP - 1 + rounds):
            for worker in workers:
                worker.turn()
        if w.what == "train":
            compare_losses(workers)
        return records(w, workers)


def records(w, workers):
    own = statistics.median(workers[0].times[WARM_UP:])
    found = []
    for worker in workers:
        times, peak = worker.times[WARM_UP:], worker.memory("VmHWM")
        median = statistics.median(times)
        found.append({
            "what": w.what, "contender": worker.contender.name, "version": worker.version, "net": w.net, "base": w.base,
            "size": w.size, "batch": w.batch, "threads": w.threads, "median_ms": median, "best_ms": min(times),
            "times_ms": times, "ratio": median / own, "peak_bytes": peak, "over_import_bytes": peak - worker.imported,
            "difference": worker.error, "losses": worker.losses[:COMPARED_LOSSES]})
    return found


def print_table(w, found):
    difference = "largest difference from float64 / largest value" if w.what == "forward" else \
        f"largest difference of {COMPARED_LOSSES} losses from PyTorch's"
    print(f"{w.what}, {w.net}, base {w.base}, {w.batch}x{w.size}x{w.size}, {w.threads} threads\n\n"
          "| contender | version | median ms | best ms | median / nucdet's | peak MiB | over import MiB "
          f"| {difference} |\n" + "|---" * 8 + "|")
    for r in found:
        print(f"| {r['contender']} | {r['version']} | {r['median_ms']:.1f} | {r['best_ms']:.1f} | {r['ratio']:.2f} "
              f"| {r['peak_bytes'] / 2**20:.0f} | {r['over_import_bytes'] / 2**20:.0f} | {r['difference']:.1e} |")
    if w.what == "train":
        print("\nlosses of nucdet: " + ", ".join(f"{loss:.6g}" for loss in found[0]["losses"]))
    print(flush=True)


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--forward", action="store_true", help="forward passes; with neither this nor --train, both")
    parser.add_argument("--train", action="store_true", help="training steps")
    parser.add_argument("--net", choices=NETWORKS, default="micronet")
    parser.add_argument("--base", type=int, choices=(4, 8, 16, 32), default=32)
    parser.add_argument("--size", type=int, default=512, help="pixels a side in a forward pass")
    parser.add_argument("--batch", type=int, default=1, help="images in a forward pass")
    parser.add_argument("--train-size", type=int, default=200, help="pixels a side in a training step")
    parser.add_argument("--train-batch", type=int, default=4, help="images in a training step")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=7, help=f"after {WARM_UP} that do not count")
    parser.add_argument("--nucdet", type=pathlib.Path, default=ROOT / "build" / "bench" / "peer_network")
    parser.add_argument("--json", type=pathlib.Path, help="file for the records")
    return parser.parse_args()


def main():
    if sys.argv[1:2] == ["--worker"]:
        variant, what, net, *numbers, folder = sys.argv[2:]
        return serve(stages_of(Workload(what, net, *map(int, numbers), pathlib.Path(folder)), variant))
    arguments = parse()
    if not arguments.nucdet.exists():
        sys.exit(f"{arguments.nucdet}: not there; build it (ninja peer_network) and name it by --nucdet")
    both = arguments.forward == arguments.train
    sizes = {"forward": (arguments.size, arguments.batch), "train": (arguments.train_size, arguments.train_batch)}
    found = []
    print(f"{processor()}, medians of {arguments.rounds} rounds in turns, threads wait {wait_policy()}ly\n",
          flush=True)
    for what in ("forward", "train"):
        if both or getattr(arguments, what):
            with tempfile.TemporaryDirectory() as folder:
                w = Workload(what, arguments.net, arguments.base, arguments.threads, *sizes[what], pathlib.Path(folder))
                try:
                    rows = measure(w, arguments.rounds, arguments.nucdet)
                except (ValueError, WorkerFailed) as error:
                    sys.exit(f"{what}: {error}")
            print_table(w, rows)
            found += rows
            if arguments.json:
                arguments.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
