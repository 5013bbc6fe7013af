#!/usr/bin/env python3
"""Measures training by several ranks and prints a Markdown table, each figure with the command that gave it.

usage: measure_ranks.py PROGRAM [--mpiexec MPIEXEC] [--rows LIST] [--out DIR] [--json FILE] [--delay MS] [--seed N]

  step    seconds of a step by 2 ranks of 1 thread over those by 1 rank of 2 threads: base 16, a batch of 8; in turns,
          medians
  losses  how far the losses of 2 and 4 ranks are from those of one process with the same batch: 5 steps, 50 steps
  kills   30 kills of a rank drawn by chance, at a moment drawn by chance: the bytes of resumed runs beside those of a
          run that nobody killed
  bytes   what a rank sends in a step: the formula of docs/scale.md, and what went over the line between two hosts
  model   the time of a step over lines of several rates and delays; compute + latency * messages + bytes / bandwidth
          fitted to it by least squares, what is left, and what it says of 8, 64 and 512 ranks with --delay between them

--rows names some of them. `bytes` and `model` run on hosts that tests/mpi/hosts.py makes (root, iproute2, /dev/net/tun);
without them they are skipped. It takes about ten minutes, and its figures are worth something only on an idle machine.
Exits with 1 if bytes differ, losses are further apart than docs/ranks.md says, or a command fails.
"""
import argparse
import csv
import json
import math
import os
import pathlib
import random
import shlex
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import time

from measuring import in_folder, measure_rows

ROOT = pathlib.Path(__file__).resolve().parent.parent
HOSTS = ROOT / "tests" / "mpi" / "hosts.py"
KILLS = 30
BUCKET = 1 << 18  # numbers that travel together: MpiSettings::bucket
LINES = [(2, rate, delay) for rate in (100, 300, 1000) for delay in (0.2, 2, 5)]  # hosts, Mbit/s, ms
LINES += [(4, rate, delay) for rate, delay in ((100, 0.2), (1000, 0.2), (300, 2), (1000, 5))]
NUMBER = 2e-6  # s: a message by itself where a round has many; assumed, two to four hosts do not show it
ENVIRONMENT = {**{k: v for k, v in os.environ.items() if not k.startswith("SLURM_")}, "OMPI_ALLOW_RUN_AS_ROOT": "1",
               "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMPI_MCA_rmaps_base_oversubscribe": "1"}


def run(command, accept=(0,)):
    """What a command prints on the standard output, and its exit code."""
    command = [str(word) for word in command]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=ENVIRONMENT)
    if done.returncode not in accept:
        sys.exit(f"{shlex.join(command)}: exit code {done.returncode}: {done.stderr.strip()[-500:]}")
    return done.stdout, done.returncode


def solve(rows, wanted):
    """The x with the least squares of rows x - wanted, by the normal equations."""
    n = len(rows[0])
    a = [[sum(r[i] * r[j] for r in rows) for j in range(n)] + [sum(r[i] * w for r, w in zip(rows, wanted))]
         for i in range(n)]
    for i in range(n):
        pivot = max(range(i, n), key=lambda k: abs(a[k][i]))
        a[i], a[pivot] = a[pivot], a[i]
        for k in range(n):
            if k != i:
                factor = a[k][i] / a[i][i]
                a[k] = [x - factor * y for x, y in zip(a[k], a[i])]
    return [a[i][n] / a[i][i] for i in range(n)]


class Network:
    """What a rank tells the others in a step: tests/train/test_rank_traffic counts it."""

    def __init__(self, weights):
        with open(weights, "rb") as file:
            size = struct.unpack("<Q", file.read(8))[0]
            tensors = json.loads(file.read(size))
        tensors.pop("__metadata__", None)
        counts = {name: math.prod(t["shape"]) for name, t in tensors.items()}
        means = [count for name, count in counts.items() if name.endswith("running_mean")]
        self.norms, self.channels = len(means), sum(means)
        self.gradients = sum(-(-count // 16) * 16 for name, count in counts.items() if ".running_" not in name)

    def messages(self):
        """Rounds of a step that one must wait for: two a batch norm, two for the gradients, the losses, whether to stop."""
        return 2 * self.norms + 4

    def bytes(self, ranks):
        """That a rank sends to all others."""
        gathered = 24 * self.channels + 8 + 1 + 4 * (2 * self.norms + 2)
        whole, rest = divmod(self.gradients, BUCKET)
        averaged = sum(2 * 4 * -(-count // ranks) for count in [BUCKET] * whole + [rest] if count)
        return (ranks - 1) * (gathered + averaged)


class Measures:
    """The rows, and what they share."""

    def __init__(self, options):
        self.options, self.out, self.rows, self.wrong = options, options.out, [], []
        self.chance = random.Random(options.seed)
        self.tissue = self.out / "tissue"
        if not self.tissue.exists():
            run([options.program, "synth", "--out", self.tissue, "--images", 8, "--size", 256, "--seed", 7])

    def row(self, what, figure, how, **numbers):
        """`how` is the command, without the folders, or how the figure follows from others."""
        if not isinstance(how, str):
            how = f"`{shlex.join(map(str, how))}`"
            for folder, name in ((f"{self.options.program}", "nucdet"), (f"{self.out}/", ""), (f"{ROOT}/", "")):
                how = how.replace(folder, name)
        self.rows.append({"what": what, "figure": figure, "how": how, **numbers})
        print(f"| {what} | {figure} | {how} |", flush=True)

    def train(self, out, *arguments):
        return [self.options.program, "train", self.tissue, "--out", self.out / out, "--device", "cpu", "--quiet",
                "--stop-after", 0, *arguments]

    def ranks(self, count):
        return [self.options.mpiexec, "-n", count, "--bind-to", "none"]

    def step_seconds(self, command, out):
        """The median over the steps of a training, as rank 0 has it."""
        shutil.rmtree(self.out / out, ignore_errors=True)
        said, code = run([*command, "--json"], accept=(0, 77))
        if code == 77:
            return None
        return json.loads([line for line in said.splitlines() if line.startswith("{")][-1])["step_seconds"]

    # ---- rows --------------------------------------------------------------------------------------------------------

    def step(self):
        common = ["--base", 16, "--batch", 8, "--iterations", 12, "--validate-every", 12]
        alone = self.train("step", *common, "--threads", 2)
        shared = [*self.ranks(2), *self.train("step", *common, "--threads", 1)]
        ones, twos = [], []
        for _ in range(5):
            ones.append(self.step_seconds(alone, "step"))
            twos.append(self.step_seconds(shared, "step"))
        one, two = statistics.median(ones), statistics.median(twos)
        self.row("a step of 8 crops, base 16: 1 rank of 2 threads", f"{one:.3f} s", alone, seconds=ones)
        self.row("the same: 2 ranks of 1 thread", f"{two:.3f} s", shared, seconds=twos)
        self.row("the second over the first", f"{two / one:.2f}", "medians of 5 in turns", ratio=two / one)

    def losses_of(self, name, start):
        shutil.rmtree(self.out / name, ignore_errors=True)
        command = [*start, *self.train(name, "--base", 8, "--batch", 8, "--crop", 64, "--iterations", 50,
                                       "--validate-every", 1, "--threads", 1)]
        run(command)
        with open(self.out / name / "log.csv", encoding="utf-8", newline="") as file:
            return [float(row["loss"]) for row in csv.DictReader(file) if row["loss"]], command

    def losses(self):
        alone, _ = self.losses_of("alone", [])
        for count in (2, 4):
            found, command = self.losses_of(f"ranks{count}", self.ranks(count))
            away = [abs(a / b - 1) for a, b in zip(found, alone, strict=True)]
            first, all_ = max(away[:5]), max(away)
            if len(away) != 50 or first > 1e-5 or all_ > 1e-2:
                self.wrong.append(f"losses of {count} ranks: {len(away)} steps, {first:.1e}, {all_:.1e} from one's")
            self.row(f"losses of {count} ranks from those of one, at most: 5 steps; 50 steps", f"{first:.1e}; {all_:.1e}",
                     command, away=away)

    def kill_a_rank(self, process, moment):
        """Whether one was there to be killed."""
        time.sleep(moment)
        found = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True, check=False)
        children = [int(pid) for pid in found.stdout.split()]
        try:
            os.kill(self.chance.choice(children), signal.SIGKILL)
        except (IndexError, ProcessLookupError):
            return False
        return True

    def kills(self):
        arguments = ["--base", 4, "--crop", 48, "--batch", 4, "--iterations", 60, "--validate-every", 5, "--threads", 1,
                     "--resume"]
        whole = [*self.ranks(2), *self.train("whole", *arguments)]
        shutil.rmtree(self.out / "whole", ignore_errors=True)
        begin = time.perf_counter()
        run(whole)
        seconds = time.perf_counter() - begin
        command = [str(word) for word in [*self.ranks(2), *self.train("killed", *arguments)]]
        shutil.rmtree(self.out / "killed", ignore_errors=True)
        kills, finished, differ, last = 0, 0, 0, None
        while kills < KILLS or last != 0:
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=ENVIRONMENT)
            killed = kills < KILLS and self.kill_a_rank(process, self.chance.uniform(0, seconds / 2))
            last = process.wait()
            if last != 0 and not killed:
                sys.exit(f"{shlex.join(command)}: exit code {last}, and nothing was killed")
            if last != 0:
                kills += 1
                continue
            finished += 1
            differ += any((self.out / "whole" / name).read_bytes() != (self.out / "killed" / name).read_bytes()
                          for name in ("best.safetensors", "last.safetensors", "log.csv"))
            if kills < KILLS:
                shutil.rmtree(self.out / "killed")
        if differ:
            self.wrong.append(f"{differ} runs differ from one that was not killed")
        self.row(f"{kills} kills of a rank within {finished} runs of {seconds:.1f} s, each started again until it was done",
                 f"{differ} of {finished} with other bytes", command, kills=kills, finished=finished, differ=differ)

    def on_hosts(self, hosts, rate, delay, command, *, count=None):
        name = f"nd{os.getpid()}m"
        counted = ["--count", count] if count else []
        where = ",".join(f"{name}{k + 1}" for k in range(hosts))
        return [HOSTS, "--name", name, "--hosts", hosts, "--rate", rate, "--delay", delay, *counted, self.options.mpiexec,
                "--host", where, "--bind-to", "none", *command]

    def network(self, base):
        weights = self.out / f"base{base}" / "best.safetensors"
        if not weights.exists():
            run(self.train(weights.parent.name, "--base", base, "--crop", 32, "--batch", 1, "--iterations", 1,
                           "--validate-every", 1))
        return Network(weights)

    def bytes(self):
        network, counted, sent = self.network(16), self.out / "count.json", []
        for iterations in (10, 30):
            command = self.on_hosts(2, 0, 0, self.train("counted", "--base", 16, "--crop", 64, "--batch", 4, "--iterations",
                                                        iterations, "--validate-every", 1000, "--threads", 1), count=counted)
            if self.step_seconds(command, "counted") is None:
                self.skipped("bytes")
                return
            sent.append(json.loads(counted.read_text(encoding="utf-8"))["bytes"][1])
        formula, line = network.bytes(2), (sent[1] - sent[0]) / 20
        self.row(f"bytes a step that a rank of 2 sends: {network.gradients} gradients, {network.norms} batch norms, "
                 f"{network.channels} channels", f"{formula}", "the formula", bytes=formula)
        self.row("the same over the line, with TCP's and MPI's own", f"{line:.0f}, {line / formula:.3f} of the formula",
                 command, bytes=line)

    def model(self):
        network, runs = self.network(16), []
        for hosts, rate, delay in LINES:
            command = self.on_hosts(hosts, rate, delay, self.train("line", "--base", 16, "--crop", 64, "--batch", 8,
                                                                   "--iterations", 9, "--validate-every", 9, "--threads", 1))
            seconds = self.step_seconds(command, "line")
            if seconds is None:
                self.skipped("model")
                return
            runs.append((hosts, rate, delay, seconds))
            self.row(f"a step, {hosts} hosts, {rate} Mbit/s, {delay} ms", f"{seconds:.3f} s", command, hosts=hosts,
                     rate=rate, delay=delay, seconds=seconds)
        self.fit(network, runs)

    def fit(self, network, runs):
        def terms(hosts, rate, delay):
            return [float(hosts == 2), float(hosts == 4), network.messages() * delay * 1e-3,
                    8 * network.bytes(hosts) / (rate * 1e6)]
        rows = [terms(*line) for *line, _ in runs]
        seconds = [s for *_, s in runs]
        # Relative: the slow lines are not to count for more than the fast ones.
        found = solve([[x / s for x in row] for row, s in zip(rows, seconds)], [1.0] * len(runs))
        left = [sum(x * f for x, f in zip(row, found)) / s - 1 for row, s in zip(rows, seconds)]
        compute, _, latency, volume = found
        self.row("the model: compute (2 hosts, 4 hosts), times of latency, of bytes / bandwidth",
                 f"{found[0]:.3f} s, {found[1]:.3f} s, {latency:.2f}, {volume:.2f}",
                 f"least squares over {len(runs)} lines; {network.messages()} messages", fitted=found)
        self.row("what it leaves: root of the mean square, most",
                 f"{100 * math.sqrt(statistics.mean(x * x for x in left)):.1f} %, {100 * max(map(abs, left)):.1f} %",
                 "of the time of a step", left=left)
        usual = self.train("usual", "--batch", 4, "--iterations", 12, "--validate-every", 12, "--threads", 1)
        alone = self.step_seconds(usual, "usual")
        self.row("a step of the default network, 4 crops, one thread", f"{alone:.3f} s", usual, seconds=alone)
        whole = Network(self.out / "usual" / "best.safetensors")
        for what, of, work in (("4 crops of 64, base 16", network, compute), ("4 crops, the default network", whole, alone),
                               ("the same, computed 16 times as fast", whole, alone / 16)):
            self.foretell(what, of, work, latency, volume)

    def foretell(self, what, network, work, latency, volume):
        delay = self.options.delay * 1e-3
        for ranks in (8, 64, 512):
            waits = latency * network.messages() * (delay + (ranks - 2) * NUMBER)
            steps = [work + waits + volume * 8 * network.bytes(ranks) / (gigabits * 1e9) for gigabits in (1, 10, 100)]
            self.row(f"{ranks} ranks of {what}: efficiency at 1, 10, 100 Gbit/s",
                     ", ".join(f"{100 * work / step:.0f} %" for step in steps),
                     f"the model, {self.options.delay} ms, {NUMBER * 1e6:g} us a message (assumed)", ranks=ranks, seconds=steps)

    def skipped(self, what):
        print(f"| {what} | SKIPPED: {HOSTS.name} makes no hosts here: root, iproute2, /dev/net/tun | |", flush=True)


ROWS = ("step", "losses", "kills", "bytes", "model")


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("--mpiexec", default="mpirun", help="Open MPI's")
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=ROWS)
    parser.add_argument("--delay", type=float, default=0.05, help="ms, one way, between the ranks the model is asked of")
    parser.add_argument("--seed", type=int, default=7, help="of the kills")
    parser.add_argument("--out", type=pathlib.Path, help="folder that keeps what was trained; default: it goes away")
    parser.add_argument("--json", type=pathlib.Path, help="file for the numbers")
    options = parser.parse_args()
    options.program = options.program.resolve()
    if not os.access(options.program, os.X_OK):
        parser.error(f"{options.program} is no program")
    if shutil.which(options.mpiexec) is None:
        parser.error(f"{options.mpiexec} is no program")
    return options


def measure(options):
    measure_rows(Measures(options), options.rows, options.json)


if __name__ == "__main__":
    in_folder(parse(), measure)
