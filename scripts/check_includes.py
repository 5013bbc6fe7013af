#!/usr/bin/env python3
"""The include rules: which folder may see which, and where each outside library is seen."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
HEADERS = ROOT / "include" / "nucdet"

# A folder of include/nucdet, and the others that its headers may include.
MAY_SEE = {
    "core": set(),
    "exec": {"core"},
    "cpu": {"core"},
    "ops": {"core", "exec", "cpu"},
    "label": {"core", "exec"},
    "loss": {"core", "exec"},
    "optim": {"core", "exec"},
    "match": {"core"},
    "metrics": {"core", "detect", "match"},
    "data": {"core", "exec"},
    "nn": {"core", "exec", "ops"},
    "nets": {"core", "nn", "ops"},
    "cuda": {"core", "data", "exec", "ops", "label", "loss", "optim"},
    "testing": {"core", "nn"},
    "io": {"core", "data", "detect", "match", "metrics", "nn"},
    "detect": {"core", "data", "exec", "nn", "ops"},
    "slide": {"core", "data", "detect", "exec", "io", "nn"},
    "onnx": {"core", "data", "io", "nn"},
    "models": {"core", "data", "detect", "exec", "io", "label", "loss", "match", "metrics", "nets", "nn", "optim", "train"},
    "train": {"core", "data", "detect", "exec", "io", "label", "loss", "match", "metrics", "nn", "optim"},
}
# An outside library, and the only files that may include it.
ONLY_IN = {
    r"Eigen/": {"include/nucdet/cpu/gemm_eigen.hpp"},
    r"xtensor/": {"include/nucdet/data/image.hpp"},
    r"png\.h": {"src/io/png.cpp", "src/io/png_write.cpp"},
    r"jpeglib\.h": {"src/io/jpeg.cpp", "src/io/jpeg_write.cpp"},
    r"tiffio\.h": {"src/io/tiff/file.hpp"},
    r"openjpeg\.h": {"src/io/jpeg2000.cpp"},
    r"webp/": {"src/io/webp.cpp"},
    r"pugixml\.hpp": {"src/io/tiff/description.cpp", "src/io/marker_xml.cpp"},
    r"nlohmann/": {"src/io/json_writing.hpp", "src/io/json_stream.hpp", "tools/nucdet/json_output.hpp"},
    r"zlib\.h": {"src/io/gzip.cpp", "src/io/text_sink.cpp"},
    r"openslide\.h$": {"src/slide/openslide_library.hpp"},
    r"sqlite3\.h": {"src/io/sqlite.hpp"},
    r"onnx/": {"src/onnx/graph.hpp"},
    r"CLI/": {"tools/nucdet/options.hpp"},
    r"cuda_(bf16|fp16)\.h": {"include/nucdet/core/half.hpp"},
    r"cuda_runtime\.h": {"include/nucdet/cuda/launch.cuh"},
}
# Seen by the sources of one library alone: a program that uses it needs no header of CUDA's or MPI's.
ONLY_UNDER = {r"pybind11/": "python/src/", r"cuda_runtime_api\.h": "src/cuda/", r"cudnn\.h": "src/cuda/", r"mpi\.h": "src/mpi/", r"nucdet/cuda/.*\.cuh": ("src/cuda/", "include/nucdet/cuda/")}
# nvcc cannot read the composition of networks, and warns of Eigen and xtensor.
NOT_FOR_NVCC = r"nucdet/(nn|nets|train|io|models|slide|onnx)/|nucdet/data/(image|image_conversion|dataset|sampler|resident)\.hpp|Eigen/|xtensor/"
MOST_LINES = 300

wrong = []
files = [f for top in ("include", "src", "tools", "python/src") for f in sorted((ROOT / top).rglob("*")) if f.suffix in (".hpp", ".cpp", ".cu", ".cuh")]
for file in files:
    name = file.relative_to(ROOT).as_posix()
    text = file.read_text(encoding="utf-8")
    included = re.findall(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', text, re.MULTILINE)
    for library, allowed in ONLY_IN.items():
        if name not in allowed and any(re.match(library, i) for i in included):
            wrong.append(f"{name}: includes {library.rstrip('/')}, which only {', '.join(sorted(allowed))} may")
    for library, folder in ONLY_UNDER.items():
        if not name.startswith(folder) and any(re.match(library, i) for i in included):
            wrong.append(f"{name}: includes {library}, which only files under {folder} may")
    if file.suffix in (".cu", ".cuh"):
        wrong += [f"{name}: nvcc may not see {i}" for i in included if re.match(NOT_FOR_NVCC, i)]
    if not file.is_relative_to(HEADERS):
        continue
    if "#pragma once" not in text:
        wrong.append(f"{name}: no #pragma once")
    if text.count("\n") > MOST_LINES:
        wrong.append(f"{name}: {text.count(chr(10))} lines, at most {MOST_LINES}")
    folder = file.relative_to(HEADERS).parts[0]
    for path in included:
        seen = re.match(r"nucdet/(\w+)/", path)
        if folder in MAY_SEE and seen and seen[1] != folder and seen[1] not in MAY_SEE[folder]:
            wrong.append(f"{name}: {folder}/ may not include {path}")
        if "/" not in file.relative_to(HEADERS).as_posix():
            continue  # the headers for users may include each other
        if path in ("nucdet/nucdet.hpp", "nucdet/nets.hpp", "nucdet/detect.hpp", "nucdet/train.hpp"):
            wrong.append(f"{name}: includes {path}, which is for users")
print("\n".join(wrong) or f"{len(files)} files keep the rules")
sys.exit(bool(wrong))
