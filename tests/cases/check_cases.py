#!/usr/bin/env python3
"""Runs nucdet on small inputs of many kinds and compares how it ends with a table.

usage: check_cases.py PROGRAM [CASES] [PATTERN]
  CASES    the folder of inputs; default: $NUCDET_CASES, else ../shared/cases beside the project. Without it: exit 77.
  PATTERN  only rows whose file holds it

The table beside this file says for each input the command, the exit code, how many nuclei (or points) there may be, and
words of which the messages must hold one ("a|b"), whatever their case. Where it departs from the table that came with the
inputs, the column `why` says why. What is known to fall short has its figure in the column `short`: it is told, and is no
failure of this test.
"""
import csv
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
TRAIN = "--base 4 --crop 48 --batch 2 --validate-every 1 --device cpu".split()


def count_of(command, printed):
    """Nuclei or points that were reported: the number at the end of the last line."""
    if command == "train":
        return None
    numbers = re.findall(r"\t(\d+)", printed)
    return int(numbers[-1]) if numbers else None


def wrong_with(row, code, out, err):
    problems = []
    if str(code) not in row["exit"].split(" or "):
        problems.append(f"exit code {code}, wanted {row['exit']}")
    if code == 0 and row["least"]:
        count = count_of(row["command"].split()[0], out)
        if count is None or not int(row["least"]) <= count <= int(row["most"]):
            problems.append(f"count {count}, wanted {row['least']} to {row['most']}")
    says = row["says"].lower()
    if says and not any(word in (out + err).lower() for word in says.split("|")):
        problems.append(f"'{row['says']}' is not said")
    return problems


def run(program, cases, row, out):
    command, *options = row["command"].split()
    given = str(cases / row["file"])
    if command == "convert":
        call = [program, "convert", given, str(out / "points.csv"), *options]
    elif command == "train":
        call = [program, "train", given, "--out", str(out / "run"), *options, *TRAIN]
    else:
        call = [program, "detect", given, "--out", str(out), *options]
    done = subprocess.run(call, capture_output=True, text=True, errors="replace", timeout=300)
    return done.returncode, done.stdout, done.stderr


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    program = str(Path(sys.argv[1]).resolve())
    default = os.environ.get("NUCDET_CASES", str(HERE.parents[2] / "shared" / "cases"))
    cases = Path(sys.argv[2] if len(sys.argv) > 2 and sys.argv[2] else default)
    pattern = sys.argv[3] if len(sys.argv) > 3 else ""
    if not (cases / "00-base").is_dir():
        print(f"SKIPPED: no inputs in {cases} (NUCDET_CASES names their folder)")
        sys.exit(77)
    failed = short = checked = 0
    with open(HERE / "expected.csv", newline="", encoding="utf-8") as table:
        for row in csv.DictReader(table):
            if pattern not in row["file"]:
                continue
            out = Path(tempfile.mkdtemp(prefix="nucdet-case-"))
            code, said, err = run(program, cases, row, out)
            shutil.rmtree(out)
            problems = wrong_with(row, code, said, err)
            checked += 1
            if problems and row["short"]:
                short += 1
                print(f"SHORT  {row['file']} ({row['command']}): {'; '.join(problems)}")
            elif problems:
                failed += 1
                print(f"FAILED {row['file']} ({row['command']}): {'; '.join(problems)}")
                print("       " + (err.strip().splitlines() or said.strip().splitlines() or [""])[-1][:200])
    print(f"{checked - failed - short} of {checked} inputs end as they should, {short} are known to fall short")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
