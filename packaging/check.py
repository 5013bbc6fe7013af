#!/usr/bin/env python3
"""What the packages say agrees with the project: version, dependencies, symbols, options, the files that are installed.
usage: check.py [BUILD]      BUILD: a built tree; then what `cmake --install` gives is compared with Debian's lists, too
dependencies.json is the one table of what nucdet needs, by the names that CMake and each packager have for it."""
import fnmatch
import json
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
HERE = ROOT / "packaging"
TOOLS = {  # what builds, and is no part of what is built; CUDA and MPI are in no package
    "cmake": {"CUDAToolkit", "MPI", "Python3", "Threads"},
    "debian": {"debhelper-compat", "dh-sequence-python3", "cmake", "ninja-build", "python3-dev"},
    "conda": {"pip", "python", "scikit-build-core"},
    "vcpkg": {"nucdet", "vcpkg-cmake", "vcpkg-cmake-config"},
}
wrong = []


def text(path):
    return (ROOT / path).read_text(encoding="utf-8")


def agree(where, found, wanted):
    if found != wanted:
        wrong.append(f"{where}: found {found}, wanted {wanted}")


def agree_sets(where, found, wanted):
    for names, what in ((found - wanted, "is not wanted"), (wanted - found, "is missing")):
        wrong.extend(f"{where}: {name} {what}" for name in sorted(names))


def project_version():
    header = text("include/nucdet/version.hpp")
    version = ".".join(re.findall(r"NUCDET_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)", header))
    agree("version.hpp, NUCDET_VERSION_STRING", re.search(r'_STRING "(.*)"', header)[1], version)
    return version


def stanzas(path):
    """A file of Debian's fields: a dictionary a paragraph."""
    lines = re.sub(r"(?m)^#.*\n", "", text(path))
    fields = re.compile(r"(?ms)^(\S+): *(.*?)(?=^\S|\Z)")
    return [{name: value.strip() for name, value in fields.findall(part)} for part in lines.split("\n\n")]


def package_names(field):
    names = {re.split(r"[ (\[]", item.strip())[0] for item in field.split(",")}
    return {name for name in names if name and not name.startswith("${")}


def check_versions(version):
    agree("vcpkg.json", json.loads(text("packaging/vcpkg/ports/nucdet/vcpkg.json"))["version-semver"], version)
    agree("debian/changelog", re.match(r"nucdet \((.*)-\d+\)", text("packaging/debian/changelog"))[1], version)
    if '"include/nucdet/version.hpp"' not in text("pyproject.toml"):
        wrong.append("pyproject.toml: wanted the version from include/nucdet/version.hpp")


def check_symbols(version):
    shown = {f"{name}@{release}" for release, names in re.findall(r"(NUCDET_[\d.]+) \{(.*?)local", text("src/capi/nucdet.map"), re.DOTALL)
             for name in [release, *re.findall(r"(nucdet_\w+);", names)]}
    listed = dict(re.findall(r"(?m)^ (\S+) (\S+)$", text("packaging/debian/libnucdet0.symbols")))
    agree_sets("libnucdet0.symbols", set(listed), shown)
    for name, since in listed.items():
        if tuple(map(int, since.split("."))) > tuple(map(int, version.split("."))):
            wrong.append(f"libnucdet0.symbols: {name} is of {since}, nucdet of {version}")


def check_cmake(table):
    files = [ROOT / "CMakeLists.txt", *sorted((ROOT / "cmake").glob("*.cmake")), ROOT / "tools/nucdet/CMakeLists.txt",
             ROOT / "python/CMakeLists.txt"]
    lists = "\n".join(file.read_text(encoding="utf-8") for file in files)
    found = set(re.findall(r"(?m)^ *(?:find_package\(|nucdet_format\(|find_library\(NUCDET_\w+_LIBRARY )(\w+)", lists))
    agree_sets("dependencies.json, against CMake", {d["cmake"] for d in table if d["cmake"]}, found - TOOLS["cmake"])
    known = set(re.findall(r"(?:option|set)\((NUCDET_\w+) ", lists))
    for path in ("debian/rules", "conda/recipe/recipe.yaml", "conan/conanfile.py"):
        for name in set(re.findall(r"(?:-D|\b)(NUCDET_[A-Z_]+)", text(f"packaging/{path}"))) - known - {"NUCDET_VERSION_"}:
            wrong.append(f"{path}: sets {name}, which CMake does not know")


def check_debian(table):
    source, *packages = stanzas("packaging/debian/control")
    built = [d for d in table if d["linked"] != "run" and "through" not in d]
    wanted = {d["debian"] for d in built}
    agree_sets("debian/control, Build-Depends", package_names(source["Build-Depends"]) - TOOLS["debian"], wanted)
    depends = {p["Package"]: package_names(p["Depends"]) for p in packages}
    agree_sets("debian/control, libnucdet-dev", depends["libnucdet-dev"] - {"libnucdet0"},
               {d["debian"] for d in built if "only" not in d})
    agree_sets("debian/control, python3-nucdet", depends["python3-nucdet"] - {"nucdet"},
               {d["debian"] for d in table if d["linked"] == "run"})
    script = set(re.findall(r"[\w.-]+", text("scripts/install-dependencies.sh")))
    agree_sets("install-dependencies.sh", script & wanted, wanted)


def check_others(table, version):
    def names(packager, program=True, python=False):
        return {d[packager] for d in table if d[packager] and d["linked"] != "run" and "through" not in d
                and (program or d.get("only") != "program") and (python or d.get("only") != "Python")}

    agree_sets("conanfile.py", set(re.findall(r'requires\("([^/]+)/', text("packaging/conan/conanfile.py"))), names("conan"))
    manifest = json.loads(text("packaging/vcpkg/ports/nucdet/vcpkg.json"))
    ports = [*manifest["dependencies"], *(d for f in manifest["features"].values() for d in f["dependencies"])]
    agree_sets("vcpkg.json", {p if isinstance(p, str) else p["name"] for p in ports} - TOOLS["vcpkg"], names("vcpkg"))

    try:
        import yaml
    except ImportError:
        print("SKIPPED: the conda recipe is not read: no PyYAML (apt-get install python3-yaml)")
        return
    recipe = yaml.safe_load(text("packaging/conda/recipe/recipe.yaml"))
    agree("recipe.yaml", recipe["context"]["version"], version)
    outputs = {o["package"]["name"]: o for o in recipe["outputs"]}
    agree("recipe.yaml, outputs", sorted(outputs), ["nucdet", "python-nucdet"])
    for name, wanted in (("nucdet", names("conda")), ("python-nucdet", names("conda", program=False, python=True))):
        host = {item.split()[0] for item in outputs[name]["requirements"]["host"]}
        agree_sets(f"recipe.yaml, {name}", host - TOOLS["conda"], wanted)


def check_container():
    """Apptainer's recipe runs what the Dockerfile runs."""
    flat = [re.sub(r" *\\\n *", " ", text(f"deploy/container/{name}")) for name in ("Dockerfile", "nucdet.def")]
    commands = [c.strip() for line in re.findall(r"(?m)^RUN (.*)$", flat[0]) for c in line.split("&&")]
    agree("Dockerfile, commands", len(commands) > 8, True)
    there = [line.strip() for line in flat[1].splitlines()]
    wrong.extend(f"nucdet.def: the Dockerfile's `{c}` is missing" for c in commands if c not in there)


def check_installed(build):
    """Every pattern of Debian's lists is met by a file that is installed, every file by a pattern."""
    files = set()
    with tempfile.TemporaryDirectory() as folder:
        parts = [([], "usr")]
        if list((build / "python/nucdet").glob("_nucdet.*.so")):
            parts.append((["--component", "python"], "usr/lib/python3/dist-packages"))
        else:
            print(f"SKIPPED: {build} has no Python module: its files are not compared")
        for arguments, prefix in parts:
            said = subprocess.run(["cmake", "--install", build, "--prefix", f"{folder}/{prefix}", *arguments],
                                  capture_output=True, text=True, check=False)
            if said.returncode != 0:
                wrong.append(f"{build} is not installed: {said.stderr.strip()}")
                return
        top = pathlib.Path(folder)
        files = {p.relative_to(top).as_posix() for p in top.rglob("*") if not p.is_dir()}
    patterns = {}
    for path in [*(HERE / "debian").glob("*.install"), HERE / "debian/not-installed"]:
        for line in path.read_text(encoding="utf-8").splitlines():
            patterns[line.split()[0].replace("usr/lib/*/", "usr/lib/")] = path.name  # Debian's libraries lie a folder deeper
    matches = {p: [f for f in files if fnmatch.fnmatch(f, p) or fnmatch.fnmatch(f, p + "/*")] for p in patterns}
    if len(parts) == 1:
        del matches["usr/lib/python3"]
    wrong.extend(f"{patterns[p]}: nothing is installed as {p}" for p, met in matches.items() if not met)
    wrong.extend(f"no list of Debian's packages has {f}" for f in sorted(files - {f for met in matches.values() for f in met}))
    print(f"{len(files)} installed files compared with {len(matches)} patterns")


if __name__ == "__main__":
    dependencies = json.loads(text("packaging/dependencies.json"))
    version_here = project_version()
    check_versions(version_here)
    check_symbols(version_here)
    check_cmake(dependencies)
    check_debian(dependencies)
    check_others(dependencies, version_here)
    check_container()
    if len(sys.argv) > 1:
        check_installed(pathlib.Path(sys.argv[1]).resolve())
    print("\n".join(wrong) or f"the packages agree with nucdet {version_here} and its {len(dependencies)} dependencies")
    sys.exit(bool(wrong))
