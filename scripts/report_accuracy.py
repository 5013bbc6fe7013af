#!/usr/bin/env python3
"""Recomputes the table of accuracy for one or two pairs of a program and weights; scripts/report_accuracy.sh says how
and checks what is needed. Uses the program by its command line alone, so an old one is measured by the same rules."""
import argparse
import dataclasses
import json
import pathlib
import sys
import tempfile
import time

import report_images as images
from report_measures import MEASURES, Bench, Skip

ROOT = pathlib.Path(__file__).resolve().parent.parent


@dataclasses.dataclass
class Row:
    """One number of the table. `judge` says what `must` bounds: the value from below (least) or above (most), its fall
    (drop) or its change either way (change)."""
    group: str
    part: str
    title: str
    judge: str
    must: float
    aim: str
    command: str = ""
    digits: int = 3

    def met(self, value):
        return {"least": value >= self.must, "most": value <= self.must,
                "drop": value >= -self.must, "change": abs(value) <= self.must}[self.judge]

    def bound(self):
        return {"least": "", "most": "", "drop": "-", "change": "+-"}[self.judge] + f"{self.must:g}"

    def text(self, value):
        return "-" if value is None else f"{value:.{self.digits}f}"


def evaluating(name, split, model="M"):
    return f"nucdet evaluate DATA/{name}/manifest.csv --model {model} --split {split}"


ROWS = [
    Row("monuseg", "pooled", "monuseg-tiles test, never trained on: F1 pooled", "least", .85, ".88",
        evaluating("monuseg-tiles", "test")),
    Row("nuinsseg", "pooled", "nuinsseg-human23 test: F1 pooled", "least", .85, ".875",
        evaluating("nuinsseg-human23", "test")),
    Row("nuinsseg", "organs", "the same: mean of organs", "least", .82, ".85", evaluating("nuinsseg-human23", "test")),
    Row("tnbc", "pooled", "tnbc-curie val, one patient: F1 pooled", "least", .87, ".91",
        evaluating("tnbc-curie", "val")),
    Row("brca", "pooled", "brca-m2c val: F1 pooled", "least", .86, ".88", evaluating("brca-m2c", "val")),
    Row("without-tnbc", "pooled", "TNBC left out of training: F1 on all its images", "least", .81, ".85",
        evaluating("tnbc-curie", '""', "W")),
    Row("without-brca", "pooled", "BRCA left out of training: F1 on all its images", "least", .81, ".84",
        evaluating("brca-m2c", '""', "W")),
    Row("blank", "mean", "blank tiles: nuclei, mean", "most", .5, "0", digits=1),
    Row("blank", "worst", "blank tiles: nuclei, worst", "most", 2, "0", digits=0),
    Row("padded", "worst", "padded images: worst change of F1, any set", "change", .002, "0", digits=4),
    Row("cut", "f1", "512 px tiles cut beforehand: F1 against the slide's nuclei", "least", .98, ".995"),
    Row("perturbed", "worst", "MoNuSeg tiles, blur, unsharp, JPEG, dark, eosin: worst change of F1", "drop", .01,
        "-.005", digits=4),
    Row("magnification", "20x", "MoNuSeg tiles at 20x: F1 less that at 40x", "drop", .01, "same"),
    Row("magnification", "10x", "MoNuSeg tiles at 10x: F1 less that at 40x", "drop", .02, "same"),
    Row("time", "slide", "time of detection against before, slide region", "most", 1.05, "1"),
    Row("time", "folder", "time of detection against before, folder of small images", "most", 1.05, "1"),
]
THIS = "scripts/report_accuracy.sh DATA --rows "
NEEDS = {"perturbed": " --read-tests", "magnification": " --read-tests", "time": " --time --program-before P0"}
GROUPS = list(dict.fromkeys(row.group for row in ROWS))


def short(value):
    if isinstance(value, dict):
        return ", ".join(f"{name} {short(v)}" for name, v in value.items())
    if isinstance(value, list):
        return ", ".join(map(short, value))
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def measured(bench, group):
    """{side: {part: value}}, and why there is none."""
    values, notes = {}, []
    for side in bench.sides:
        start = time.perf_counter()
        try:
            values[side.name] = MEASURES[group](bench, side)
            took = time.perf_counter() - start
            print(f"{group}, {side.name}: {short(values[side.name])}; {took:.0f} s", flush=True)
        except Skip as why:
            notes.append(f"{side.name}: left out, {why}")
        except RuntimeError as why:
            notes.append(f"{side.name}: FAILED, {why}")
    for note in notes:
        print(f"{group}, {note}", file=sys.stderr, flush=True)
    return values, "; ".join(notes)


def filled(values):
    """The rows as they go into report.json."""
    rows = []
    for row in (r for r in ROWS if r.group in values):
        sides, note = values[row.group]
        before, now = (sides.get(side, {}).get(row.part) for side in ("before", "now"))
        rows.append({"group": row.group, "part": row.part, "row": row.title, "before": before, "now": now,
                     "must": row.bound(), "aim": row.aim, "met": None if now is None else row.met(now),
                     "text": [row.text(before), row.text(now)], "note": note,
                     "command": row.command or THIS + row.group + NEEDS.get(row.group, "")})
    return rows


def markdown(report):
    yield from ("| row | before | now | must | aim | command |", "|---|---|---|---|---|---|")
    for r in report["rows"]:
        before, now = r["text"]
        now += " (missed)" if r["met"] is False else ""
        yield f"| {r['row']} | {before} | {now} | {r['must']} | {r['aim']} | `{r['command']}` |"
    yield ""
    for side, described in report["sides"].items():
        yield f"* {side}: {described['program']}, {described['model']}, sha256 {described['sha256']}"
    yield from dict.fromkeys(f"* {r['group']}, {r['note']}" for r in report["rows"] if r["note"])
    if report["blank_tiles"]:
        yield (f"\nBlank: of cases/09-blank, and as x_y the slide's 256 px tiles in which, after a mean over 5 x 5 "
               f"pixels, the darkest channel is at least {images.BLANK_DARKEST} and the channels differ by at most "
               f"{images.BLANK_COLOUR} everywhere (blank.png): {', '.join(report['blank_tiles'])}")
    yield "\nReadings of test sets and of MoNuSeg:\n"
    yield from (f"* {line}" for line in report["readings"] or ["none"])
    for name, details in report["details"].items():
        yield f"\n{name}:\n"
        yield from (f"* {key}: {short(value)}" for key, value in details.items())


def options():
    parser = argparse.ArgumentParser(prog="report_accuracy.sh", description=__doc__)
    add, path = parser.add_argument, pathlib.Path
    add("data", type=path, help="folder with the data sets")
    add("--program", type=path, default=ROOT / "build/release/tools/nucdet/nucdet", help="default: %(default)s")
    add("--model", type=path, help="its weights; default: those that it finds by itself")
    add("--program-before", type=path, help="a program to compare with")
    add("--model-before", type=path, help="its weights")
    add("--without-tnbc", type=path, help="weights for --program, trained without tnbc-curie")
    add("--without-brca", type=path, help="weights for --program, trained without brca-m2c")
    add("--out", type=path, default=path("report"), help="folder of the report; default: %(default)s")
    add("--read-tests", action="store_true", help="also the rows that read a test split or MoNuSeg")
    add("--time", action="store_true", help="also the time; the machine should be free")
    add("--turns", type=int, default=5, help="of the time; default: %(default)s")
    add("--rows", default=",".join(GROUPS), help="only these; default: %(default)s")
    add("--reach", type=int, default=140, help="padded images: nuclei nearer to the margin are left out, reference "
        "pixels; default: %(default)s (MicroNetLite sees 132, a peak looks 8 further)")
    add("--threads", type=int, default=0, help="of the program; 0: its own choice, and 2 for the time")
    chosen = parser.parse_args()
    chosen.rows = chosen.rows.split(",")
    if unknown := set(chosen.rows) - set(GROUPS):
        parser.error(f"--rows: {', '.join(sorted(unknown))}; there are {', '.join(GROUPS)}")
    return chosen


def main():
    chosen = options()
    chosen.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=chosen.out, prefix="work-") as work:
        bench = Bench(chosen, pathlib.Path(work).resolve())
        values = {group: measured(bench, group) for group in GROUPS if group in chosen.rows}
    report = {"sides": {side.name: side.described() for side in bench.sides}, "rows": filled(values),
              "blank_tiles": bench.blank_tiles, "readings": bench.readings,
              "details": {", ".join(key): value for key, value in bench.details.items()}}
    (chosen.out / "report.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    (chosen.out / "report.md").write_text("\n".join(markdown(report)) + "\n", encoding="utf-8")
    for what, met in (("missed", False), ("not known", None)):
        print(f"{what}: {'; '.join(r['row'] for r in report['rows'] if r['met'] is met) or 'none'}")
    return any("FAILED" in r["note"] for r in report["rows"])


if __name__ == "__main__":
    sys.exit(main())
