#!/usr/bin/env python3
"""Times PyTorch's MicroNet on a GPU: forward passes and training steps, eager and compiled, and the device's ceilings.

    python3 bench/peers/pytorch_cuda.py [--json FILE] [--budget SECONDS] [--no-compile]
    /usr/bin/python3 bench/peers/pytorch_cuda.py --device cpu --tiny      (a trial of everything, without a GPU)

Everything is channels_last. Precisions: fp32 without TF32, tf32, and bf16, which is a network of bf16 in a forward
pass and autocast in a training step. Eager runs have cudnn.benchmark on, compiled ones are torch.compile's
max-autotune. Times are medians of calls measured by CUDA events. Each forward pass is first compared with eager fp32,
so that no wrong answer is timed. What matters most comes first, for compiling is slow: no variant starts later than
--budget, none takes longer than --limit, and the file of --json is written anew after each.
"""
import argparse
import functools
import gc
import json
import pathlib
import signal
import statistics
import sys
import time
from typing import NamedTuple

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden"))
import torch
from make_network import MicroNet, weighted_squared_error

TOLERANCE = 5e-2  # of a forward pass, relative to eager fp32, in the Euclidean norm


class Workload(NamedTuple):
    what: str  # forward or step
    base: int
    height: int
    width: int
    batch: int
    precision: str  # fp32, tf32 or bf16


class OutOfTime(BaseException):
    """Not an Exception: the compiler takes those for a candidate that failed, and goes on."""


# ---- what is run ----------------------------------------------------------------------------------------------------

def plan(tiny, compiling):
    """(workload, variant), the most important first."""
    bases, sizes, crop, batches = ((4, 2), (48, 32), 40, (2, 3)) if tiny else ((32, 16, 8), (1024, 512), 200, (4, 64))
    forwards = [Workload("forward", base, size, size, 1, precision)
                for base in bases for size in sizes for precision in ("bf16", "tf32", "fp32")]
    steps = [Workload("step", bases[0], crop, crop, batch, precision)
             for precision in ("bf16", "tf32", "fp32") for batch in batches]
    first, rest = [forwards[0], *steps[:2]], [*steps[2:], *forwards[1:]]
    # Eager variants take a second or two each, compiled ones up to minutes.
    variants = ("eager", "compiled") if compiling else ("eager",)
    return [(workload, variant) for group in (first, rest) for variant in variants for workload in group]


def set_tf32(on):
    torch.backends.cuda.matmul.allow_tf32 = on
    torch.backends.cudnn.allow_tf32 = on


@functools.lru_cache(maxsize=None)
def weights(base, device):
    """Weights whose normalisation fits the activations, as after training: else the maps are biases and little else."""
    torch.manual_seed(base)
    net = MicroNet(base, dropout=0.0).to(device).train()
    for layer in net.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.momentum = None  # the plain mean of all batches
    with torch.no_grad():
        for _ in range(3):
            net(torch.randn(2, 3, 64, 64, device=device))
    return {name: value.cpu() for name, value in net.state_dict().items()}


def network(base, device):
    net = MicroNet(base)
    net.load_state_dict(weights(base, device))
    return net.to(device).to(memory_format=torch.channels_last)


def images(w, device):
    random = torch.Generator().manual_seed(w.height)
    x = torch.randn(w.batch, 3, w.height, w.width, generator=random)
    return x.to(device).to(memory_format=torch.channels_last)


def compiled(function):
    return torch.compile(function, mode="max-autotune")


def forward(w, variant, device):
    net, x = network(w.base, device).eval(), images(w, device)
    if w.precision == "bf16":
        net, x = net.to(torch.bfloat16), x.to(torch.bfloat16)
    if variant == "compiled":
        net = compiled(net)

    def work():
        with torch.no_grad():
            return net(x)
    return work


def training(w, variant, device):
    net, x = network(w.base, device).train(), images(w, device)
    y = torch.rand(w.batch, 1, w.height, w.width, device=device)
    fused = {"fused": True} if device == "cuda" else {}
    optimiser = torch.optim.SGD(net.parameters(), lr=1e-4, momentum=0.9, nesterov=True, weight_decay=1e-6, **fused)

    def loss_of(x, y):
        with torch.autocast(device, torch.bfloat16, enabled=w.precision == "bf16"):
            output = net(x)
        return weighted_squared_error(output.float(), y)
    loss_function = compiled(loss_of) if variant == "compiled" else loss_of

    def work():
        optimiser.zero_grad()
        loss = loss_function(x, y)
        loss.backward()
        optimiser.step()
        return loss
    return work


# ---- measuring ------------------------------------------------------------------------------------------------------

def synchronise(device):
    if device == "cuda":
        torch.cuda.synchronize()


def chunk_times(work, device, calls):
    """Milliseconds of each of `calls` calls, queued without waiting, as a program that has more work would."""
    if device != "cuda":
        marks = [time.perf_counter()]
        for _ in range(calls):
            work()
            marks.append(time.perf_counter())
        return [1e3 * (b - a) for a, b in zip(marks, marks[1:])]
    events = [torch.cuda.Event(enable_timing=True) for _ in range(calls + 1)]
    events[0].record()
    for event in events[1:]:
        work()
        event.record()
    torch.cuda.synchronize()
    return [a.elapsed_time(b) for a, b in zip(events, events[1:])]


def median_milliseconds(work, device, tiny):
    """The median of at least 20 calls and a second's worth of them; of fewer where those take longer than 10 s."""
    least, enough, most = (3, 0.0, 1.0) if tiny else (20, 1.0, 10.0)
    times, start = [], time.perf_counter()
    while True:
        times += chunk_times(work, device, 5)
        passed = time.perf_counter() - start
        if passed > most or (len(times) >= least and passed > enough):
            return statistics.median(times)


def warm_up(work, device, tiny):
    """The first calls choose algorithms, compile, and record graphs; the others bring the clock up."""
    start, calls = time.perf_counter(), 0
    while calls < (2 if tiny else 5) or (not tiny and time.perf_counter() - start < 0.3):
        work()
        synchronise(device)
        calls += 1


def peak_bytes(variant, device):
    """Since the warm-up. What a replayed graph uses does not count as allocated, but nobody else can have it."""
    if device != "cuda":
        return None
    peak = torch.cuda.max_memory_allocated()
    if variant == "compiled":
        torch.cuda.empty_cache()
        peak = max(peak, torch.cuda.memory_reserved())
    return peak


def forget(device):
    """Leaves nothing of the variant before: neither its memory nor its compiled code."""
    if hasattr(torch, "compile"):
        torch.compiler.reset()
    gc.collect()
    if device == "cuda":
        torch.cuda.empty_cache()


@functools.lru_cache(maxsize=None)
def reference(w, device):
    """The map by eager fp32, on the CPU."""
    set_tf32(False)
    return forward(w, "eager", device)().float().cpu()


def check(output, w, variant, device):
    if w.what == "step":
        if not torch.isfinite(output).item():
            raise ValueError(f"the loss is {output.item()}")
        return
    right = reference(w._replace(precision="fp32"), device)
    error = ((output.float().cpu() - right).norm() / right.norm()).item()
    if not error <= TOLERANCE:
        raise ValueError(f"{variant} {w.precision} differs from eager fp32 by {error:.3g} of its norm")


def measure(w, variant, device, tiny):
    if w.what == "forward":
        reference(w._replace(precision="fp32"), device)  # before its setting of TF32 could be anyone else's
    forget(device)
    set_tf32(w.precision == "tf32")
    work = (forward if w.what == "forward" else training)(w, variant, device)
    check(work(), w, variant, device)
    warm_up(work, device, tiny)
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    milliseconds = median_milliseconds(work, device, tiny)
    return {**w._asdict(), "variant": variant, "milliseconds": milliseconds, "peak_bytes": peak_bytes(variant, device)}


# ---- ceilings -------------------------------------------------------------------------------------------------------

def ceilings(device, tiny):
    """(name, unit, work, units of one call): what the device can do at most, with nothing clever."""
    large, side, product = (2**16, 64, 64) if tiny else (2**30, 4096, 8192)
    source = torch.randint(256, (large,), dtype=torch.uint8, device=device).repeat(1 if tiny else 4)
    copy = torch.empty_like(source)
    yield f"copy {source.numel()} bytes", "bytes/s", lambda: copy.copy_(source), 2 * source.numel()
    del source, copy
    for dtype in (torch.float32, torch.bfloat16):
        x = torch.randn(1, 1, side, side, device=device).to(dtype)
        y, moved, kind = torch.empty_like(x), 2 * x.numel() * x.element_size(), str(dtype).split(".")[1]
        yield f"copy {side}x{side} {kind}", "bytes/s", lambda: y.copy_(x), moved
        yield f"elu {side}x{side} {kind}", "bytes/s", lambda: torch.nn.functional.elu(x), moved
    a, b = (torch.randn(product, product, device=device).to(torch.bfloat16) for _ in range(2))
    c = torch.empty_like(a)
    yield f"matmul {product}^3 bfloat16", "FLOP/s", lambda: torch.mm(a, b, out=c), 2 * product**3


def measure_ceilings(device, tiny, keep):
    print("| ceiling | value | unit |\n|---|---|---|", flush=True)
    for name, unit, work, amount in ceilings(device, tiny):
        warm_up(work, device, tiny)
        value = 1e3 * amount / median_milliseconds(work, device, tiny)
        print(f"| {name} | {value:.4g} | {unit} |", flush=True)
        keep({"what": "ceiling", "name": name, "value": value, "unit": unit})
    print(flush=True)


# ---- the program ----------------------------------------------------------------------------------------------------

def row(w, variant, rest):
    return f"| {w.what} | {w.base} | {w.batch}x{w.height}x{w.width} | {w.precision} | {variant} | {rest} |"


def measured_row(w, variant, found):
    peak = "-" if found["peak_bytes"] is None else f"{found['peak_bytes'] / 2**20:.0f}"
    return row(w, variant, f"{found['milliseconds']:.3f} | {1e3 * w.batch / found['milliseconds']:.1f} | {peak}")


def one_line(error):
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0] if lines else ''}"[:200]


def out_of_time(*_):
    raise OutOfTime()


def measure_all(arguments, device, keep):
    compiling = hasattr(torch, "compile") and not arguments.no_compile
    start, left_out = time.monotonic(), 0
    print("| what | base | images | precision | variant | median ms | images/s | peak MiB |\n" + "|---" * 8 + "|",
          flush=True)
    for w, variant in plan(arguments.tiny, compiling):
        if time.monotonic() - start > arguments.budget:
            left_out += 1
            continue
        try:
            signal.alarm(arguments.limit)
            found = measure(w, variant, device, arguments.tiny)
            signal.alarm(0)
            print(measured_row(w, variant, found), flush=True)
            keep(found)
        except OutOfTime:
            print(row(w, variant, f"took longer than {arguments.limit} s | | "), flush=True)
        except Exception as error:  # of a compiler, a library or the device: the others are still worth measuring
            print(row(w, variant, f"{one_line(error)} | | "), flush=True)
        finally:
            signal.alarm(0)
    if not compiling:
        print("\ntorch.compile: " + ("not wanted" if hasattr(torch, "compile") else "this PyTorch has none"))
    if left_out:
        print(f"\n{left_out} variants left out: {arguments.budget} s had passed")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--tiny", action="store_true", help="small networks and images: a trial of the program")
    parser.add_argument("--no-compile", action="store_true", help="eager only")
    parser.add_argument("--budget", type=float, default=600, help="seconds after which no variant is started")
    parser.add_argument("--limit", type=int, default=180, help="seconds for one variant, compiling included")
    parser.add_argument("--json", type=pathlib.Path, help="file for the records")
    arguments = parser.parse_args()
    device, records = arguments.device, []
    if device == "cuda" and not torch.cuda.is_available():
        sys.exit("PyTorch sees no CUDA device; --device cpu --tiny tries the program out without one")

    def keep(record):
        records.append(record)
        if arguments.json:
            arguments.json.write_text(json.dumps(records, indent=1) + "\n", encoding="utf-8")
    torch.backends.cudnn.benchmark = True
    signal.signal(signal.SIGALRM, out_of_time)
    name = torch.cuda.get_device_name() if device == "cuda" else "the CPU"
    print(f"PyTorch {torch.__version__}, cuDNN {torch.backends.cudnn.version()}, on {name}\n", flush=True)
    keep({"what": "machine", "name": name, "torch": torch.__version__, "cudnn": torch.backends.cudnn.version()})
    measure_ceilings(device, arguments.tiny, keep)
    measure_all(arguments, device, keep)


if __name__ == "__main__":
    main()
