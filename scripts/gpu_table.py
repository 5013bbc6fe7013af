#!/usr/bin/env python3
"""One short table of our times on a GPU beside PyTorch's, from the files that gpu-check.sh leaves in a folder.

    scripts/gpu_table.py FOLDER

Reads bench-*.json (ours), pytorch.json and bench_cuda.json there. What was not measured is "-"; ratios are PyTorch's
time over ours, so above 1 we are faster.
"""
import json
import pathlib
import sys

LINES = 38  # in all
WHAT, PRECISION = ("forward", "detect", "step"), ("bf16", "fp16", "tf32", "fp32")
NANOSECONDS = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}


def records(value):
    """Every object with a "what", however the file nests them."""
    if isinstance(value, dict) and "what" in value:
        yield value
    elif isinstance(value, (dict, list)):
        for part in value.values() if isinstance(value, dict) else value:
            yield from records(part)


def read(path):
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    except ValueError as error:  # a program that was stopped may leave half a file
        print(f"{path}: {error}", file=sys.stderr)
        return []


def place(names, name):
    return names.index(name) if name in names else len(names)


def order(key):
    what, base, height, width, batch, precision = key
    return place(WHAT, what), -base, -batch * height * width, place(PRECISION, precision)


def times(files):
    """{workload: {variant: milliseconds}}; records that name no variant are ours."""
    found = {}
    for record in (r for file in files for r in records(read(file)) if r["what"] in WHAT):
        numbers = (int(record[name]) for name in ("base", "height", "width", "batch"))
        key = (record["what"], *numbers, record["precision"])
        found.setdefault(key, {})[record.get("variant", "ours")] = record["milliseconds"]
    return found


def shortened(rows, found, most):
    """Without the rows that compare least: those with the fewest times go first, of these the last ones."""
    by_worth = sorted(range(len(rows)), key=lambda i: (-len(found[rows[i]]), i))
    return [rows[i] for i in sorted(by_worth[:most])]


def cell(value, text):
    return text.format(value) if value else "-"


def line(key, milliseconds):
    what, base, height, width, batch, precision = key
    ours, eager, compiled = (milliseconds.get(variant) for variant in ("ours", "eager", "compiled"))
    ratios = [ours and other and other / ours for other in (eager, compiled)]
    cells = [cell(v, "{:.3f}") for v in (ours, eager, compiled)] + [cell(r, "{:.2f}") for r in ratios]
    return f"{what:8}{base:>3}  {f'{batch}x{height}x{width}':13}{precision:5}" + "".join(f"{c:>11}" for c in cells)


def ceilings(folder):
    for precision in PRECISION:
        rates = [r["flop_per_second"] for file in folder.glob("bench-*.json") for r in records(read(file))
                 if r["what"] == "matrix product" and r["precision"] == precision]
        if rates:
            yield f"our matrix product {precision} {max(rates) / 1e12:.0f} TFLOP/s"
    for r in records(read(folder / "pytorch.json")):
        if r["what"] == "ceiling" and not r["name"].startswith("elu"):
            yield f"{r['name']} {r['value'] / 1e12:.2f} T{r.get('unit', '')}"


def own_rows(folder, most):
    """The rows of bench_cuda, which PyTorch has no counterpart of."""
    runs = [r for r in dict(read(folder / "bench_cuda.json") or {}).get("benchmarks", []) if "real_time" in r]
    for r in runs[:most]:
        yield f"{r['name'][:60]:60}{r['real_time'] * NANOSECONDS[r['time_unit']] / 1e6:>11.4f} ms"
    if len(runs) > most:
        yield f"{len(runs) - most} more rows in {folder / 'bench_cuda.json'}"


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = pathlib.Path(sys.argv[1])
    found = times([*sorted(folder.glob("bench-*.json")), folder / "pytorch.json"])
    rows = shortened(sorted(found, key=order), found, LINES - 6)
    columns = ("ours ms", "eager ms", "compile ms", "eager/our", "comp./our")
    print(f"{'workload':31}" + "".join(f"{c:>11}" for c in columns))
    for key in rows:
        print(line(key, found[key]))
    if len(rows) < len(found):
        print(f"{len(found) - len(rows)} more workloads in {folder}/*.json")
    for text in own_rows(folder, max(0, LINES - len(rows) - 4)):
        print(text)
    print("ceilings: " + ("; ".join(ceilings(folder)) or "-"))


if __name__ == "__main__":
    main()
