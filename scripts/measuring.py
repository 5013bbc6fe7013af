"""What the measuring scripts share: rows asked for one by one, kept as they come."""
import json
import pathlib
import sys
import tempfile


def measure_rows(measures, names, file):
    """Asks `measures` for each row and keeps what there is in `file`, if any. Exits with what was wrong, at the end."""
    print("| what | figure | how |\n|---|---|---|", flush=True)
    for name in names:
        getattr(measures, name)()
        if file:
            file.write_text(json.dumps(measures.rows, indent=1) + "\n", encoding="utf-8")
    if measures.wrong:
        sys.exit("\n".join(measures.wrong))


def in_folder(options, measure):
    """Calls measure(options) with `options.out` a folder that is there: the one asked for, or one that goes away."""
    if options.out is not None:
        options.out = options.out.resolve()
        options.out.mkdir(parents=True, exist_ok=True)
        return measure(options)
    with tempfile.TemporaryDirectory() as folder:
        options.out = pathlib.Path(folder)
        return measure(options)
