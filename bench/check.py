#!/usr/bin/env python3
"""Whether nucdet is still as fast beside its peers as it was: ratios to the fastest of them in the same run, against those
that are kept in bench/ratios.json. By hand, or in the night (scripts/nightly.sh); never a test, as times are not results.

    build/peers/bin/python bench/check.py build/release [--update] [--only NAME ...] [--tolerance 0.15]

The folder is a build with the program and the benchmarks (-DNUCDET_BUILD_BENCH=ON). Exit status: 0 no ratio fell by more
than the tolerance; 1 some did, each of them measured twice; 2 wrong usage; 3 a peer is missing or a program failed. --update
keeps the ratios that are measured now.
Ratios are kept by kernels, "avx2" and so on: a machine with others says that there is nothing to compare with.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
from typing import NamedTuple

HERE = pathlib.Path(__file__).resolve().parent
KEPT = HERE / "ratios.json"


class Case(NamedTuple):
    name: str
    script: str
    options: list


CASES = [
    Case("forward, MicroNetLite, 512", "network.py", ["--forward", "--net", "micronet-lite", "--rounds", "9"]),
    Case("forward, MicroNet, 512", "network.py", ["--forward", "--rounds", "3"]),
    Case("training, MicroNetLite", "network.py", ["--train", "--net", "micronet-lite", "--rounds", "5"]),
    Case("training, MicroNet", "network.py", ["--train", "--rounds", "2"]),
    Case("programs", "programs.py", ["--rounds", "6", "--images", "200"]),
]
PEERS = {"forward": {"PyTorch eager", "ONNX Runtime", "OpenVINO"}, "training": {"PyTorch eager"},
         "programs": {"Python + ONNX Runtime", "Python + OpenVINO"}}


def stop(code, text):
    print(text, file=sys.stderr)
    sys.exit(code)


def measured(case, build):
    """Name -> the fastest peer's median over ours."""
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "records.json"
        program = [build / "tools/nucdet/nucdet"] if case.script == "programs.py" else \
            ["--nucdet", build / "bench/peer_network"]
        try:
            subprocess.run([sys.executable, HERE / "peers" / case.script, *program, *case.options, "--json", file],
                           check=True)
        except subprocess.CalledProcessError as error:
            stop(3, f"{case.name}: {error}")
        records = json.loads(file.read_text(encoding="utf-8"))
    missing = PEERS[case.name.split(",")[0]] - {record["contender"] for record in records}
    if missing:
        stop(3, f"{case.name}: without {', '.join(sorted(missing))} there is no ratio to compare")
    ratios = {}
    for record in records:
        if record["contender"] != "nucdet":
            name = f"{case.name}: {record['what']}" if case.script == "programs.py" else case.name
            ratios[name] = min(ratios.get(name, record["ratio"]), record["ratio"])
    return ratios


def kernels_of(build):
    answer = subprocess.run([build / "tools/nucdet/nucdet", "doctor", "--json"], check=True, capture_output=True, text=True)
    return json.loads(answer.stdout)["best_kernels"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--update", action="store_true", help="keep what is measured")
    parser.add_argument("--only", nargs="+", help="cases with one of these in their names")
    parser.add_argument("--tolerance", type=float, default=0.15)
    a = parser.parse_args()
    if a.only and not any(part in case.name for part in a.only for case in CASES):
        parser.error(f"--only: no case has one of {a.only} in its name")
    kernels, kept = kernels_of(a.build), json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else {}
    before, found, fallen = kept.setdefault(kernels, {}), {}, []
    for case in CASES:
        if a.only and not any(part in case.name for part in a.only):
            continue
        ratios = measured(case, a.build)
        if any(ratios[name] < before.get(name, 0) * (1 - a.tolerance) for name in ratios):  # once may be chance
            again = measured(case, a.build)
            ratios = {name: max(ratio, again[name]) for name, ratio in ratios.items()}
        found.update(ratios)
    print(f"\n{kernels}: the fastest peer's time over nucdet's\n\n| what | kept | now |\n|---|---|---|")
    for name, ratio in found.items():
        fell = ratio < before.get(name, 0) * (1 - a.tolerance)
        fallen += [name] * fell
        print(f"| {name} | {before.get(name, 'nothing')} | {ratio:.2f}{' (fell)' * fell} |")
    if a.update:
        before.update({name: round(ratio, 2) for name, ratio in found.items()})
        KEPT.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    sys.exit(1 if fallen and not a.update else 0)


if __name__ == "__main__":
    main()
