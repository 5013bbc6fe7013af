#!/usr/bin/env python3
"""Times PyTorch's MicroNet (base 32): forward passes of one 512x512 image, and training steps of four 200x200 crops.

    OMP_NUM_THREADS=2 /usr/bin/python3 bench/peers/pytorch_micronet.py [--rounds 5] [--default-malloc]

glibc's malloc maps and unmaps every large tensor anew, which costs PyTorch up to half its time: the program starts
itself again with a malloc that keeps its memory, unless --default-malloc is given. Every variant runs in a process
of its own, so that its peak memory is its own too. Debian's PyTorch does its transposed convolutions through
libblas: without OpenBLAS (libopenblas0-pthread) they run on the reference BLAS and take three quarters of the time,
so each row names the library that was loaded.
"""
import argparse
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import time

KEEP_MEMORY = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "40000000000", "MALLOC_TOP_PAD_": "268435456"}
VARIANTS = ("eager", "channels_last", "frozen", "training")


def median_milliseconds(work, rounds):
    work()
    work()
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times), min(times)


def forward(variant, size, base):
    import torch
    from make_network import MicroNet
    net, x = MicroNet(base).eval(), torch.randn(1, 3, size, size)
    if variant == "channels_last":
        net, x = net.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
    if variant == "frozen":
        net = torch.jit.freeze(torch.jit.trace(net, x))

    def work():
        with torch.no_grad():
            net(x)
    return work


def training(crop, base):
    import torch
    from make_network import MicroNet, weighted_squared_error
    net, x, y = MicroNet(base).train(), torch.randn(4, 3, crop, crop), torch.rand(4, 1, crop, crop)
    optimiser = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9, nesterov=True, weight_decay=1e-6)

    def work():
        optimiser.zero_grad()
        weighted_squared_error(net(x), y).backward()
        optimiser.step()
    return work


def blas():
    """Which BLAS this process has loaded."""
    files = {line.split()[-1] for line in open("/proc/self/maps") if "blas" in line}
    return "OpenBLAS" if any("openblas" in name for name in files) else "reference" if files else "none"


def run(arguments):
    """One variant, in this process."""
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden"))
    import torch
    if "OMP_NUM_THREADS" in os.environ:
        torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    is_training = arguments.variant == "training"
    if is_training:
        work = training(arguments.crop, arguments.base)
    else:
        work = forward(arguments.variant, arguments.size, arguments.base)
    median, best = median_milliseconds(work, arguments.rounds)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    what = "step, 4x{0}x{0}".format(arguments.crop) if is_training else "forward, {0}x{0}".format(arguments.size)
    print(f"| {arguments.variant} | {what} | {median:.0f} | {best:.0f} | {peak:.0f} | {blas()} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--variant", choices=VARIANTS, help="only this one, in this process")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--crop", type=int, default=200)
    parser.add_argument("--base", type=int, default=32)
    parser.add_argument("--default-malloc", action="store_true")
    arguments = parser.parse_args()
    if arguments.variant:
        return run(arguments)
    environment = dict(os.environ) if arguments.default_malloc else {**os.environ, **KEEP_MEMORY}
    threads = os.environ.get("OMP_NUM_THREADS", "all")
    malloc = "default" if arguments.default_malloc else "tuned"
    print(f"MicroNet base {arguments.base}, {threads} threads, malloc {malloc}"
          "\n\n| PyTorch | what | median ms | best ms | peak MB | BLAS |\n|---|---|---|---|---|---|", flush=True)
    for variant in VARIANTS:
        subprocess.run([sys.executable, __file__, *sys.argv[1:], "--variant", variant], env=environment, check=True)


if __name__ == "__main__":
    main()
