#!/usr/bin/env python3
"""The documentation as one static site that works from disk: the guides by pandoc, the interface reference by Doxygen (C++,
C) and from docstrings (Python).
Files that guides link to come along as pages of their own, so that no link leaves the site but those to the web.
usage: make_site.py OUT [--no-reference]      OUT: a folder, which is made anew"""
import ast
import html
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
SITE = ROOT / "docs" / "site"
# The guides in the order they are read; a page of docs/ that is not named stands in the last group.
GROUPS = {
    "Start": ["README.md", "docs/install.md", "docs/tutorial.md", "docs/cookbook.md"],
    "Use": ["docs/program.md", "docs/formats.md", "docs/slides.md", "docs/tissue.md", "docs/cohorts.md", "docs/scale.md", "docs/ranks.md"],
    "From elsewhere": ["docs/c.md", "docs/python.md", "docs/onnx.md", "docs/qupath.md", "docs/tiatoolbox.md", "docs/napari.md"],
    "Understand": ["docs/networks.md", "docs/architecture.md", "docs/numerics.md", "docs/robustness.md"],
    "Measure": ["docs/results.md", "docs/studies.md", "docs/benchmarks.md", "docs/cpu.md", "docs/cuda.md"],
    "Project": ["models/README.md", "models/nuclei-he-classes.md", "bench/README.md", "packaging/README.md",
                "deploy/slurm/README.md", "CONTRIBUTING.md", "CHANGELOG.md"],
}
NOT_GUIDES = {"docs/api.md"}  # the reference's first page
LANGUAGES = {".cpp": "cpp", ".hpp": "cpp", ".h": "c", ".py": "python", ".sh": "bash", ".groovy": "groovy", ".cmake": "cmake"}
MARK = '<meta name="generator" content="nucdet make_site">'  # in docs/site/page.html: what says so is ours
LINK = re.compile(r'\b(href|src)="([^"#]*)(#[^"]*)?"')


def page_name(source):
    """docs/formats.md -> formats.html, models/README.md -> models.html."""
    path = pathlib.PurePosixPath(source)
    if source == "README.md":
        return "index.html"
    parts = [p for p in path.with_suffix("").parts if p != "docs"]
    if parts[-1] == "README":
        parts = parts[:-1]
    return "-".join(parts).lower() + ".html"


def title_of(source):
    for line in (ROOT / source).read_text(encoding="utf-8").splitlines():
        if line.startswith("# "):
            return re.sub(r"[`*]|\{.*\}", "", line[2:]).strip()
    return pathlib.PurePosixPath(source).stem


def short_title(source):
    names = {"README.md": "Overview", "packaging/README.md": "Packaging", "deploy/slurm/README.md": "Slurm",
             "models/README.md": "Weights", "models/nuclei-he-classes.md": "Weights with classes"}
    return names.get(source, title_of(source))


def signature(node):
    """def detect(image, mpp=None) -> Nuclei"""
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    arguments = ast.unparse(node.args)
    if len(arguments) > 80:  # an argument a line, but not within brackets
        arguments = "\n    " + re.sub(r", (?![^\[\(]*[\]\)])", ",\n    ", arguments) + ",\n"
    return f"def {node.name}({arguments}){returns}"


def docstring(node):
    """As Markdown: a session at the prompt is code."""
    text = (ast.get_docstring(node) or "").strip()
    return re.sub(r"(?m)((?:^>>> .*\n?)+)", lambda m: f"```python\n{m[1].replace('>>> ', '').rstrip()}\n```\n", text)


def described(node, level):
    """A class or function as Markdown: signature, docstring, public members. Sentences that follow a name explain it."""
    text = f"{'#' * level} {node.name}\n\n"
    if isinstance(node, ast.FunctionDef):
        text += f"```python\n{signature(node)}\n```\n\n"
    text += docstring(node) + "\n\n"
    members = node.body if isinstance(node, ast.ClassDef) else []
    attributes, methods = "", ""
    for member, following in zip(members, [*members[1:], None]):
        decorators = {ast.unparse(d) for d in getattr(member, "decorator_list", [])}
        if isinstance(member, ast.FunctionDef) and member.name == "__init__":
            text += f"```python\n{signature(member)}\n```\n\n{docstring(member)}\n\n"
        elif "property" in decorators:
            attributes += attribute(f"{member.name}: {ast.unparse(member.returns)}", docstring(member))
        elif isinstance(member, ast.FunctionDef) and not member.name.startswith("_") and "overload" not in decorators:
            methods += described(member, level + 1)
        elif isinstance(member, ast.AnnAssign):
            explained = isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant)
            attributes += attribute(ast.unparse(member), following.value.value if explained else "")
    return f"{text}{attributes}\n{methods}"


def attribute(declaration, said):
    return f"* `{declaration}`" + (f": {' '.join(said.split())}" if said else "") + "\n"


def parsed(file):
    return ast.parse(file.read_text(encoding="utf-8")).body


def named(body, wanted):
    """name -> Markdown, of the classes, functions and constants of a module that are wanted."""
    found = {}
    for node, following in zip(body, [*body[1:], None]):
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and node.name in wanted:
            found[node.name] = described(node, 2)
        elif isinstance(node, ast.AnnAssign) and ast.unparse(node.target) in wanted:
            found[ast.unparse(node.target)] = f"## {ast.unparse(node.target)}\n\n{following.value.value}\n\n"
    return found


def python_reference(folder):
    """The package's public names, in the order of its modules, and those of nucdet.torch."""
    init = parsed(folder / "__init__.py")
    public = {name for node in init if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
              for name in ast.literal_eval(node.value)} - {"__version__"}
    text, told = f"{docstring(ast.Module(init))}\n\n", set()
    for node in init:
        if not isinstance(node, ast.ImportFrom) or node.level != 1 or not (folder / f"{node.module}.py").exists():
            continue
        wanted = {alias.name for alias in node.names} & public
        found = named(parsed(folder / f"{node.module}.py"), wanted)
        if compiled := wanted - set(found):  # classes of the library, in the stubs of its module
            found |= named(parsed(folder / "_nucdet.pyi"), compiled)
        text += "\n".join(found.values())
        told |= set(found)
    if told != public:
        sys.exit(f"{folder}: no documentation of {', '.join(sorted(public - told))} was found")
    if (folder / "torch").exists():
        text += "\n# nucdet.torch\n\n" + python_reference(folder / "torch")
    return text


class Site:
    def __init__(self, out, reference):
        self.out, self.reference = out, reference
        self.groups = {name: list(sources) for name, sources in GROUPS.items()}
        listed = {s for sources in self.groups.values() for s in sources} | NOT_GUIDES
        rest = [p.relative_to(ROOT).as_posix() for p in sorted((ROOT / "docs").glob("*.md"))]
        self.groups["More"] = [s for s in rest if s not in listed]
        self.pages = {s: page_name(s) for sources in self.groups.values() for s in sources}
        self.python = "# The Python package\n\n" + python_reference(ROOT / "python" / "nucdet")
        self.sources = {}  # files of the repository that guides link to -> their pages
        text = (ROOT / "include/nucdet/version.hpp").read_text(encoding="utf-8")
        self.version = "version " + ".".join(re.findall(r"NUCDET_VERSION_(?:MAJOR|MINOR|PATCH) +(\d+)", text))

    def make(self):
        shutil.rmtree(self.out, ignore_errors=True)
        self.out.mkdir(parents=True)
        shutil.copy(SITE / "style.css", self.out)
        for source, name in self.pages.items():
            self.write(name, (ROOT / source).read_text(encoding="utf-8"), title_of(source), source)
        self.write("python-reference.html", self.python, "The Python package", "docs/x")
        done = set()
        while todo := sorted(set(self.sources) - done):  # a listing of a folder links to more
            for path in todo:
                self.write_source(path)
            done |= set(todo)

    def write_source(self, path):
        file = ROOT / path
        if file.is_dir():
            entries = sorted(p for p in file.iterdir() if p.is_file() and not p.name.startswith("."))
            body = "\n".join(f"* [{p.name}]({p.name})" for p in entries)
            return self.write(self.sources[path], f"# {path}\n\n{body}\n", path, path + "/x")
        language = LANGUAGES.get(file.suffix, "")
        text = file.read_text(encoding="utf-8")
        self.write(self.sources[path], f"# {path}\n\n~~~~~~~~~~ {language}\n{text.rstrip()}\n~~~~~~~~~~\n", path, path)

    def write(self, name, markdown, title, source):
        up = "../" * name.count("/")
        groups = [{"name": g, "pages": [{"file": self.pages[s], "title": html.escape(short_title(s)), "here": s == source}
                                        for s in sources]}
                  for g, sources in self.groups.items() if sources]
        references = [("reference/index.html", "C++ and C")] * self.reference
        references.append(("python-reference.html", "Python"))
        groups.append({"name": "Reference", "pages": [{"file": f, "title": t, "here": f == name} for f, t in references]})
        with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as metadata:
            json.dump({"up": up, "version": self.version, "group": groups, "pagetitle": f"{title} - nucdet"}, metadata)
            metadata.flush()
            text = subprocess.run(
                ["pandoc", "--from=gfm", "--to=html5", f"--template={SITE / 'page.html'}", f"--metadata-file={metadata.name}",
                 "--toc", "--toc-depth=3", "--highlight-style=tango", "--wrap=preserve"],
                input=re.sub(r"(?m)^(# .*?) *\{#.*\}$", r"\1", markdown), capture_output=True, text=True, check=True).stdout
        text = LINK.sub(lambda m: f'{m[1]}="{self.moved(m[2], source, up)}{m[3] or ""}"', text)
        text = text.replace("<table>", '<div class="table"><table>').replace("</table>", "</table></div>")
        target = self.out / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")

    def moved(self, link, source, up):
        """Where what `source` links to lies in the site, seen from its page."""
        if not link or re.match(r"[a-z]+:", link) or link.startswith(up + "style.css") or self._is_page(link, up):
            return link
        path = pathlib.Path(os.path.normpath(ROOT / pathlib.PurePosixPath(source).parent / html.unescape(link)))
        if not path.is_relative_to(ROOT) or not path.exists():
            sys.exit(f"{source}: links to {link}, which is not there")
        wanted = path.relative_to(ROOT).as_posix()
        if wanted in self.pages:
            return up + self.pages[wanted]
        if path.suffix in (".png", ".jpg", ".svg"):
            target = self.out / "images" / path.name
            target.parent.mkdir(exist_ok=True)
            shutil.copy(path, target)
            return f"{up}images/{path.name}"
        return up + self.sources.setdefault(wanted, f"source/{wanted}.html")

    def _is_page(self, link, up):
        """A link of the page's frame: it is right already."""
        name = link.removeprefix(up)
        return link.startswith(up) and (name in self.pages.values() or name.endswith("reference.html") or name == "reference/index.html")


def check_folder(out):
    """Refuses what is no site, and folders of the project: all that is in them will be removed."""
    if ROOT.is_relative_to(out) or out.is_relative_to(ROOT / "docs"):
        sys.exit(f"make_site.py: {out} is a folder of the project, wanted one for the site alone")
    index = out / "index.html"
    ours = index.is_file() and MARK in index.read_text(encoding="utf-8", errors="replace")
    if out.exists() and (not out.is_dir() or any(out.iterdir())) and not ours:
        sys.exit(f"make_site.py: {out} is there, and is no site")


def make_reference(out):
    """Doxygen's pages, with a way back to the guides."""
    with tempfile.TemporaryDirectory() as folder:
        layout = pathlib.Path(folder) / "layout.xml"
        subprocess.run(["doxygen", "-l", layout], check=True, capture_output=True)
        text = layout.read_text(encoding="utf-8")
        tab = '<navindex>\n    <tab type="user" url="../index.html" title="Guides"/>'
        layout.write_text(text.replace("<navindex>", tab, 1), encoding="utf-8")
        settings = (ROOT / "docs" / "Doxyfile").read_text(encoding="utf-8")
        settings += (f'\nOUTPUT_DIRECTORY = "{out}"\nHTML_OUTPUT = reference\nLAYOUT_FILE = "{layout}"\n'
                     f'HTML_EXTRA_STYLESHEET = "{SITE / "reference.css"}"\nHTML_TIMESTAMP = NO\n'
                     'HTML_COLORSTYLE_HUE = 266\nHTML_COLORSTYLE_SAT = 45\n')
        subprocess.run(["doxygen", "-"], input=settings, text=True, check=True, cwd=ROOT)
    for page in (out / "reference").glob("*.html"):  # Doxygen 1.9 links to nested classes also where it shows none
        text = page.read_text(encoding="utf-8")
        if 'href="#nested-classes"' in text and 'name="nested-classes"' not in text:
            page.write_text(re.sub(r'<a href="#nested-classes">\w+</a>( &#124;)?', "", text), encoding="utf-8")


if __name__ == "__main__":
    arguments = [a for a in sys.argv[1:] if a != "--no-reference"]
    if len(arguments) != 1 or arguments[0].startswith("-"):
        sys.exit(__doc__)
    for tool in ("pandoc", "doxygen"):
        if shutil.which(tool) is None:
            sys.exit(f"make_site.py: {tool} was not found (apt-get install {tool})")
    folder = pathlib.Path(arguments[0]).resolve()
    check_folder(folder)
    reference = "--no-reference" not in sys.argv
    Site(folder, reference).make()
    if reference:
        make_reference(folder)
    print(f"{folder / 'index.html'}")
