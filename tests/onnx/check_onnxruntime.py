#!/usr/bin/env python3
"""Every case that onnx_peer left in a folder: the network passes ONNX's checker, and ONNX Runtime makes of the input what
nucdet made of it: to 1e-5 of the largest value with plain sums, to 5e-5 with the default kernels.
usage: check_onnxruntime.py FOLDER"""
import pathlib
import sys

import numpy as np
import onnx
import onnxruntime

EXACT, DEFAULT = 1e-5, 5e-5
folder = pathlib.Path(sys.argv[1])


def numbers(name, shape):
    return np.fromfile(folder / name, np.float32).reshape([int(s) for s in shape])


def difference(found, wanted):
    return float(np.abs(found - wanted).max() / max(float(np.abs(wanted).max()), 1e-12))


sessions, worst, wrong, cases = {}, {}, [], 0
for line in (folder / "cases.txt").read_text().splitlines():
    name, file, *rest = line.split()
    if name not in sessions:
        onnx.checker.check_model(onnx.load(folder / f"{name}.onnx"), full_check=True)
        sessions[name] = onnxruntime.InferenceSession(folder / f"{name}.onnx", providers=["CPUExecutionProvider"])
    found = sessions[name].run(None, {"image": numbers(file, rest[:4])})
    names = [o.name for o in sessions[name].get_outputs()]
    wanted = [rest[i : i + 7] for i in range(4, len(rest), 7)]
    if names != [w[0] for w in wanted]:
        wrong.append(f"{name}: outputs {names}, wanted {[w[0] for w in wanted]}")
        continue
    cases += 1
    for output, (what, default, exact, *shape) in zip(found, wanted):
        here = f"{name}, {' x '.join(rest[:4])}, {what}"
        if list(output.shape) != [int(s) for s in shape]:
            wrong.append(f"{here}: shape {output.shape}, wanted {shape}")
            continue
        pair = difference(output, numbers(exact, shape)), difference(output, numbers(default, shape))
        worst[name] = tuple(map(max, worst.get(name, (0, 0)), pair))
        if not np.isfinite(output).all() or not np.ptp(output) > 0:
            wrong.append(f"{here}: a map that says nothing")
        if not (pair[0] <= EXACT and pair[1] <= DEFAULT):
            wrong.append(f"{here}: differs by {pair[0]:.1e} from plain sums, {pair[1]:.1e} from the default kernels")
print(f"{'network':24s} plain sums  default kernels")
for name, (exact, default) in worst.items():
    print(f"{name:24s}    {exact:.1e}  {default:.1e}")
print("\n".join(wrong) or f"{len(sessions)} networks, {cases} cases: ONNX Runtime {onnxruntime.__version__} agrees")
sys.exit(bool(wrong) or cases < 80)
