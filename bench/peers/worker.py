"""A contender's process, which runs when it is asked and is stopped otherwise: for programs that compare networks.

A worker prints "imported VERSION", then answers the lines of its standard input: load (the answer is one line), run
(milliseconds of the call alone, and the loss of a training step), output FILE (float32 as it lies) and quit.
"""
import os
import pathlib
import platform
import signal
import subprocess
import sys
import time

import numpy as np

KEEP_MEMORY = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "40000000000", "MALLOC_TOP_PAD_": "268435456"}


def wait_policy():
    """Of threads that have nothing to do: passive or active."""
    return os.environ.get("OMP_WAIT_POLICY", "passive").lower()


def processor():
    lines = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())


# ---- in the process -------------------------------------------------------------------------------------------------

def onnxruntime_session(file, threads):
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.add_session_config_entry("session.intra_op.allow_spinning", str(int(wait_policy() == "active")))
    return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])


def openvino_request(file, threads):
    import openvino
    compiled = openvino.Core().compile_model(str(file), "CPU", {
        "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": threads})
    return compiled.create_infer_request()


def serve(stages):
    """Answers the driver, which reads what was standard output: libraries print there too. `stages` yields a version,
    then, loaded, the call that is timed; its result is a loss or an array."""
    answers = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")
    os.dup2(2, 1)
    print("imported", next(stages), file=answers)
    work = result = None
    for line in sys.stdin:
        word, _, rest = line.strip().partition(" ")
        if word == "load":
            work = next(stages)
            print("loaded", file=answers)
        elif word == "run":
            start = time.perf_counter()
            result = work()
            milliseconds = 1e3 * (time.perf_counter() - start)
            print(milliseconds, *([result] if isinstance(result, float) else []), file=answers)
        elif word == "output":
            np.asarray(result).tofile(rest)
            print("written", file=answers)
        elif word == "quit":
            return


# ---- the driver's side ----------------------------------------------------------------------------------------------

class WorkerFailed(Exception):
    pass


class Worker:
    """`keeps_memory`: glibc's malloc gives nothing back to the system. `cores` are taskset's, or None for all."""

    def __init__(self, command, log, threads, keeps_memory=False, cores=None):
        self.times, self.losses, self.error, self.log = [], [], None, log
        settings = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), str(threads))
        settings["OMP_WAIT_POLICY"] = wait_policy()
        pinned = ["taskset", "-c", cores] if cores else []
        with open(log, "w", encoding="utf-8") as errors:
            self.process = subprocess.Popen(
                [*pinned, *map(str, command)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True,
                env={**os.environ, **settings, **(KEEP_MEMORY if keeps_memory else {})})

    def start(self):
        """Raises WorkerFailed, here and later, with the last line that the process left."""
        self.version = self._answer().removeprefix("imported ").removeprefix("nucdet ")
        self.imported = self.memory("VmRSS")
        self.ask("load")

    def ask(self, line):
        self.process.send_signal(signal.SIGCONT)
        try:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # its log says why
        return self._answer()

    def run(self):
        milliseconds, *loss = map(float, self.ask("run").split())
        self.times.append(milliseconds)
        self.losses += loss

    def turn(self):
        """Runs twice; the second counts, as caches and memory are cold after a stop."""
        self.run()
        self.times.pop()
        self.run()

    def output(self, file, dtype=np.float32):
        self.ask(f"output {file}")
        return np.fromfile(file, dtype)

    def memory(self, key):
        """Bytes, of /proc/PID/status."""
        lines = pathlib.Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8").splitlines()
        return next(1024 * int(line.split()[1]) for line in lines if line.startswith(key + ":"))

    def end(self):
        self.process.kill()
        self.process.wait()

    def _answer(self):
        answer = self.process.stdout.readline()
        if not answer:
            status = self.process.wait()
            lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
            raise WorkerFailed((lines[-1] if lines else f"ended with status {status}")[:200])
        self.process.send_signal(signal.SIGSTOP)
        return answer.strip()
