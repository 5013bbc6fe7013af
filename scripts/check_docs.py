#!/usr/bin/env python3
"""Code in the documents is cut from files that are compiled or run: a block below `<!-- examples/x.cpp [name] -->` must be
what stands between the marks `//! [name]` there (in headers and Rust `// [name]`, which is no documentation; in CMake and
scripts `# [name]`). With --write, blocks are brought up to date. Links to files are checked."""
import pathlib
import re
import sys
import textwrap

ROOT = pathlib.Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"<!-- (\S+) \[(\w+)\] -->\n```(\w+)\n(.*?)```", re.DOTALL)
CODE = re.compile(r"```.*?```", re.DOTALL)
LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")


def snippet(path, name):
    parts = re.split(rf"^\s*(?://!?|#) \[{name}\]\n", (ROOT / path).read_text(encoding="utf-8"), flags=re.MULTILINE)
    if len(parts) != 3:
        sys.exit(f"{path}: wanted two marks [{name}], found {len(parts) - 1}")
    return textwrap.dedent(parts[1])


wrong = []
documents = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "bench" / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
for document in documents:
    name, text = document.relative_to(ROOT), document.read_text(encoding="utf-8")
    fresh = BLOCK.sub(lambda m: f"<!-- {m[1]} [{m[2]}] -->\n```{m[3]}\n{snippet(m[1], m[2])}```", text)
    if fresh != text:
        if "--write" in sys.argv:
            document.write_text(fresh, encoding="utf-8")
        else:
            wrong.append(f"{name}: code differs from the examples; run scripts/check_docs.py --write")
    for link in LINK.findall(CODE.sub("", fresh)):
        if not re.match(r"[a-z]+:", link) and not (document.parent / link).exists():
            wrong.append(f"{name}: links to {link}, which is not there")
print("\n".join(wrong) or f"{len(documents)} documents are up to date")
sys.exit(bool(wrong))
